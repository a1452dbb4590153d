"""Checks of a network with a balancer. Each check returns nothing, or raises `Fault`."""

from collections.abc import Callable, Mapping

from mtbench.conformance.candidate import Candidate
from mtbench.conformance.method.answering import answers_alike, shows_each_input
from mtbench.conformance.method.backbones import gives_scores, works_on_every_backbone
from mtbench.conformance.method.difference import differs_from_all_others
from mtbench.conformance.method.first import takes_a_step
from mtbench.conformance.method.initial import starts_from_streams
from mtbench.conformance.method.references import is_cited
from mtbench.conformance.method.tasks import grows_as_declared, survives_absence, welcomes, works_with_any_tasks
from mtbench.conformance.method.training.absence import ignores_absent, keeps_absent
from mtbench.conformance.method.training.clipping import clips_apart
from mtbench.conformance.method.training.learning import learns, trains_everything, trains_on_auxiliary
from mtbench.conformance.method.training.passes import passes_once
from mtbench.conformance.method.training.repeating import is_not_changed_by_looking, repeats, resumes
from mtbench.conformance.method.training.signs import takes_any_sign
from mtbench.errors import UsageError

__all__ = ["method_checks"]


def method_checks(candidate: Candidate) -> Mapping[str, Callable[[], None]]:
    """Return the checks by name; a name is the statement that the check proves.

    Raises:
        UsageError: the backbone is not for the tasks that methods are tested on.
    """
    try:
        gives_scores(candidate.backbone)
    except UsageError:
        raise
    except Exception:  # for any other error the checks below report it
        pass
    return {
        "it takes a step and an evaluation, with the shapes of the contract": lambda: takes_a_step(candidate),
        "learns 64 images of 2 tasks": lambda: learns(candidate),
        "every parameter is trained, and every task trains some": lambda: trains_everything(candidate),
        "its initial weights come from the streams of its setup": lambda: starts_from_streams(candidate),
        "the same seed gives the same bits, another one others": lambda: repeats(candidate),
        "interrupted and resumed it gives the same bits": lambda: resumes(candidate),
        "evaluation changes nothing": lambda: is_not_changed_by_looking(candidate),
        "a step changes buffers as one forward pass does": lambda: passes_once(candidate),
        "answers a task alike alone and among all": lambda: answers_alike(candidate),
        "trains on auxiliary losses as on the others": lambda: trains_on_auxiliary(candidate),
        "takes negative losses, or declares that it does not": lambda: takes_any_sign(candidate),
        "its map of a task is one of each input": lambda: shows_each_input(candidate),
        "works on every backbone it claims": lambda: works_on_every_backbone(candidate),
        "works with 1, 2 and 9 tasks and with undefined labels": lambda: works_with_any_tasks(candidate),
        "a task absent from every other batch does no harm": lambda: survives_absence(candidate),
        "what belongs to a task stays in a step without it": lambda: keeps_absent(candidate),
        "the loss of an absent task is used for nothing": lambda: ignores_absent(candidate),
        "tasks that share nothing are clipped apart": lambda: clips_apart(candidate),
        "parameters grow with the tasks as declared": lambda: grows_as_declared(candidate),
        "a task that is added changes nothing that others share": lambda: welcomes(candidate),
        "its references are entries of BibTeX": lambda: is_cited(candidate),
        "differs from every other method": lambda: differs_from_all_others(candidate),
    }
