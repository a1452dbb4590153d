"""The engine on a queue that the test writes: runs found, submitted, followed, lost and submitted again."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mtbench.engines.engine import Job, Outcome, Site
from mtbench.engines.slurm import follow
from mtbench.engines.slurm.commands import Commands
from mtbench.engines.slurm.engine import Slurm
from mtbench.engines.slurm.options import SlurmOptions
from mtbench.errors import RunError, Stopped, StoreError, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder
from mtbench.train.progress import Progress
from tests.engines.slurm.fake import FakeSlurm
from tests.waits import wait_until as wait


def wait_until(is_so: Callable[[], object]) -> None:
    wait(is_so, within=30)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    for name, seconds in {"SHORTEST": 0.05, "LONGEST": 0.05, "SETTLES": 0.1, "APPEARS": 0.3, "LATER": 0.1}.items():
        monkeypatch.setattr(follow, name, seconds)
    monkeypatch.setattr("mtbench.engines.slurm.commands.PAUSE", 0.05)
    return FakeSlurm(tmp_path / "slurm", monkeypatch)


class Events:
    """A listener that keeps what it is told, and acts on it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.progress: list[Progress] = []

    def started(self, job: Job, device: str) -> None:
        self.told.append(("started", job.title, device))

    def advanced(self, job: Job, progress: Progress) -> None:  # noqa: ARG002
        self.progress.append(progress)

    def noted(self, job: Job, text: str) -> None:
        self.told.append(("noted", job.title, text))

    def ended(self, job: Job, how: str, why: str) -> None:
        self.told.append((how, job.title, why))

    def refresh(self) -> None:
        pass

    def texts(self, kind: str) -> list[str]:
        return [text for told, _, text in self.told if told == kind]


def make(tmp_path: Path, seeds: Sequence[int], **settings: str) -> tuple[list[Job], Site]:
    """Write the specs of runs, and return them with their site."""
    results = tmp_path / "results, with a 'quote'"
    request = Request(
        methods=["uniform"], datasets=["toy2"], protocol="quick", settings=settings, seeds=seeds, backbone=""
    )
    jobs = []
    for spec in plan(request):
        RunFolder(results / spec.folder).write_spec(spec)
        jobs.append(Job(folder=results / spec.folder, title=f"seed {spec.seed}"))
    return jobs, Site(results=results, root=tmp_path / "data", places=["cpu"])


def run(tmp_path: Path, seeds: Sequence[int], events: Events | None = None, **options: Any) -> list[Outcome]:
    jobs, site = make(tmp_path, seeds)
    return Slurm(SlurmOptions(**options)).execute(jobs, site, events or Events())


def finish(job: Job) -> None:
    (job.folder / "record.json").write_text("{}")


class Following:
    """The engine at work in a thread while the test changes the queue."""

    def __init__(self, tmp_path: Path, seeds: Sequence[int], **options: Any) -> None:
        self.jobs, site = make(tmp_path, seeds)
        self.events, self.outcomes, self.error = Events(), list[Outcome](), list[BaseException]()
        engine = Slurm(SlurmOptions(follow=True, **options))

        def work() -> None:
            try:
                self.outcomes += engine.execute(self.jobs, site, self.events)
            except BaseException as cause:
                self.error.append(cause)

        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def end(self) -> dict[str, tuple[str, str]]:
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.error:
            raise self.error[0]
        return {outcome.job.title: (outcome.how, outcome.why) for outcome in self.outcomes}


def test_without_slurm_the_error_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match=r"'sbatch' on this machine.*login node"):
        run(tmp_path, [0])


def test_runs_are_left_in_the_queue_as_one_array(tmp_path: Path, cluster: FakeSlurm) -> None:
    outcomes = run(tmp_path, [0, 1, 2], partition="main", time="4h", gres="gpu:1", array_size=2, sbatch="--account=x")
    assert [outcome.how for outcome in outcomes] == ["queued"] * 3
    assert [outcome.why for outcome in outcomes] == [f"job 11_{index} of Slurm" for index in range(3)]
    (words,) = cluster.submitted
    assert {"--partition=main", "--time=240", "--gres=gpu:1", "--account=x", "--array=0-2%2", "--requeue"} < set(words)


def test_runs_in_the_queue_are_not_submitted_again(tmp_path: Path, cluster: FakeSlurm) -> None:
    run(tmp_path, [0, 1])
    cluster.change("11_0", "RUNNING", "n1")
    outcomes = run(tmp_path, [0, 1, 2])
    assert sorted(outcome.why for outcome in outcomes) == [f"job {job} of Slurm" for job in ("11_0", "11_1", "12_0")]
    assert len(cluster.submitted) == 2


def test_what_left_the_queue_without_a_record_is_submitted_again(tmp_path: Path, cluster: FakeSlurm) -> None:
    run(tmp_path, [0, 1, 2])
    cluster.change("11_0", "TIMEOUT")
    cluster.forget("11_1")
    assert {outcome.why for outcome in run(tmp_path, [0, 1, 2])} == {
        *("job 11_2 of Slurm", "job 12_0 of Slurm", "job 12_1 of Slurm")
    }


def test_a_run_with_a_record_is_done(tmp_path: Path, cluster: FakeSlurm) -> None:
    jobs, _ = make(tmp_path, [0])
    finish(jobs[0])
    assert [outcome.how for outcome in run(tmp_path, [0])] == ["done"]
    assert not cluster.submitted


def test_a_submission_is_removed_when_its_runs_have_records(tmp_path: Path, cluster: FakeSlurm) -> None:
    run(tmp_path, [0])
    jobs, site = make(tmp_path, [0, 1])
    folders = list((site.results / ".slurm").glob("mtbench-*"))
    assert sorted(path.name for path in folders[0].iterdir()) == ["expected.json", "script.sh", "submission.json"]
    finish(jobs[0])
    cluster.change("11_0", "COMPLETED")
    run(tmp_path, [1])
    assert not folders[0].exists()
    assert len(list((site.results / ".slurm").glob("mtbench-*"))) == 1


def test_several_runs_share_a_job_on_request(tmp_path: Path, cluster: FakeSlurm) -> None:
    outcomes = run(tmp_path, [0, 1, 2], runs_per_job=2)
    assert [outcome.why for outcome in outcomes] == [f"job {job} of Slurm" for job in ("11_0", "11_0", "11_1")]
    assert "--array=0-1%50" in cluster.submitted[0]


def test_more_runs_than_an_array_may_have_make_several_which_share_the_jobs_at_a_time(
    tmp_path: Path, cluster: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_ARRAY_SIZE", "2")
    run(tmp_path, [0, 1, 2], array_size=5)
    arrays = [word for words in cluster.submitted for word in words if word.startswith("--array")]
    assert arrays == ["--array=0-1%2", "--array=0-0%2"]


def test_a_limit_on_jobs_is_reported_with_what_was_submitted_and_the_same_command_goes_on(
    tmp_path: Path, cluster: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_ARRAY_SIZE", "2")
    limit = "Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size)"
    cluster.says("squeue", "true", f'echo "{limit}" >&2; exit 1')
    cluster.says("sbatch", f'echo "{limit}" >&2; exit 1')
    with pytest.raises(RunError, match=r"job submit limit.*So 0 of 3 runs are in the queue.*--runs-per-job"):
        run(tmp_path, [0, 1, 2])
    cluster.says("squeue")
    assert len(run(tmp_path, [0, 1, 2])) == 3


def test_a_controller_that_is_down_for_a_while_is_asked_again(tmp_path: Path, cluster: FakeSlurm) -> None:
    down = 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1'
    cluster.says("squeue", down, down)
    events = Events()
    assert [outcome.how for outcome in run(tmp_path, [0], events)] == ["queued"]
    assert "Unable to contact slurm controller" in events.texts("noted")[0]


def test_an_array_that_was_accepted_although_sbatch_failed_is_not_submitted_twice(
    tmp_path: Path, cluster: FakeSlurm
) -> None:
    name = 'for word in "$@"; do case $word in --job-name=*) name=${word#*=};; esac; done; '
    line = 'echo "11_0|0|PENDING||Priority|$name" >> "$HERE/queue"; echo "Socket timed out" >&2; exit 1'
    cluster.says("sbatch", name + line)
    assert [outcome.why for outcome in run(tmp_path, [0])] == ["job 11_0 of Slurm"]
    assert not cluster.submitted


def test_a_refusal_is_an_error_with_the_words_of_slurm(tmp_path: Path, cluster: FakeSlurm) -> None:
    cluster.says("sbatch", 'echo "sbatch: error: invalid partition specified: nowhere" >&2; exit 1')
    with pytest.raises(RunError, match="invalid partition specified: nowhere"):
        run(tmp_path, [0], partition="nowhere")


def test_a_refusal_of_everything_promises_no_later_submission(tmp_path: Path, cluster: FakeSlurm) -> None:
    cluster.says("sbatch", 'echo "sbatch: error: Batch job submission failed: Invalid account" >&2; exit 1')
    with pytest.raises(RunError) as caught:
        run(tmp_path, [0])
    said = "sbatch says: Batch job submission failed: Invalid account. So 0 of 1 runs are in the queue. "
    assert str(caught.value).startswith(said)
    assert "The same command" not in str(caught.value)


def test_the_number_of_an_array_is_found_whatever_a_site_prints_beside_it(tmp_path: Path, cluster: FakeSlurm) -> None:
    cluster.says("sbatch", 'echo "Welcome to 2 clusters"; echo; echo "77;north"')
    assert [outcome.why for outcome in run(tmp_path, [0])] == ["job 77_0 of Slurm"]
    name = 'for word in "$@"; do case $word in --job-name=*) name=${word#*=};; esac; done; '
    cluster.says("sbatch", name + 'echo "78_0|0|PENDING||Priority|$name" >> "$HERE/queue"; echo thanks')
    assert [outcome.why for outcome in run(tmp_path, [1])] == ["job 78_0 of Slurm"]
    cluster.says("sbatch", "echo thanks")
    with pytest.raises(RunError, match="sbatch has printed no number of a job, but 'thanks'"):
        run(tmp_path, [2])


def test_a_damaged_file_of_a_submission_that_is_over_stops_nothing(tmp_path: Path, cluster: FakeSlurm) -> None:
    run(tmp_path, [0])
    _, site = make(tmp_path, [0])
    (file,) = (site.results / ".slurm").glob("mtbench-*/submission.json")
    file.write_text("{")
    with pytest.raises(StoreError, match="is not the file of a submission"):
        run(tmp_path, [1])
    cluster.change("11_0", "COMPLETED")
    assert [outcome.how for outcome in run(tmp_path, [1])] == ["queued"]
    assert file.exists()


def test_options_of_the_local_engine_are_refused(cluster: FakeSlurm) -> None:  # noqa: ARG001
    with pytest.raises(UsageError, match="--array-size"):
        Slurm().places("auto", 4, 1)
    with pytest.raises(UsageError, match="--runs-per-device"):
        Slurm().places("auto", None, 2)


def test_followed_runs_are_reported_as_they_start_advance_and_end(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0, 1])
    wait_until(lambda: len(cluster.queue) == 2)
    cluster.change("11_0", "RUNNING", "n1")
    wait_until(lambda: ("started", "seed 0", "n1") in following.events.told)
    (following.jobs[0].folder / "curve.jsonl").write_text('{"epoch": 4, "train_losses": {"a": 1.0, "b": 2.0}}\n')
    wait_until(lambda: following.events.progress)
    progress = following.events.progress[0]
    assert (progress.epoch, progress.epochs, progress.loss) == (4, 10, 1.5)
    for job in following.jobs:
        finish(job)
    cluster.change("11_0", "COMPLETED")
    cluster.forget("11_1")
    assert following.end() == {"seed 0": ("done", ""), "seed 1": ("done", "")}


def test_a_lost_run_is_submitted_again_and_one_that_was_cancelled_is_not(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0, 1])
    wait_until(lambda: len(cluster.queue) == 2)
    cluster.change("11_0", "TIMEOUT")
    cluster.change("11_1", "CANCELLED")
    wait_until(lambda: len(cluster.queue) == 3)
    assert following.events.texts("again") == ["job 11_0 ended as TIMEOUT; submitted again"]
    finish(following.jobs[0])
    cluster.change("12_0", "COMPLETED")
    assert following.end() == {"seed 0": ("done", ""), "seed 1": ("stopped", "job 11_1 was cancelled")}


def test_a_run_whose_jobs_end_three_times_without_progress_is_given_up(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0])
    for count, number in enumerate((11, 12, 13), start=1):
        wait(partial(cluster.has, count), within=30)
        cluster.change(f"{number}_0", "NODE_FAIL")
    how, why = following.end()["seed 0"]
    assert how == "failed"
    assert "NODE_FAIL" in why
    assert len(cluster.submitted) == 3


def test_a_run_that_was_refused_is_reported_with_the_last_line_of_its_job(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0])
    wait_until(lambda: cluster.queue)
    (log,) = [Path(word[9:].replace("%a", "0")) for word in cluster.submitted[0] if word.startswith("--output=")]
    log.write_text("a line\nthe code of method 'td' has changed since the run was submitted\n\n")
    cluster.change("11_0", "FAILED")
    how, why = following.end()["seed 0"]
    assert how == "failed"
    assert why.endswith("the code of method 'td' has changed since the run was submitted")


def test_of_the_output_of_several_runs_the_line_that_names_the_run_counts(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0, 1], runs_per_job=2)
    wait_until(lambda: cluster.queue)
    (log,) = [Path(word[9:].replace("%a", "0")) for word in cluster.submitted[0] if word.startswith("--output=")]
    log.write_text("failed  1/2  seed 0: one reason\nfailed  2/2  seed 1: another\n")
    cluster.change("11_0", "FAILED")
    assert [why.rpartition(": ")[2] for _, why in following.end().values()] == ["one reason", "another"]


def test_a_failure_of_the_run_itself_is_final(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0])
    wait_until(lambda: cluster.queue)
    RunFolder(following.jobs[0].folder).write_failure(kind="nan", message="the loss of task a is NaN.")
    cluster.change("11_0", "FAILED")
    assert following.end() == {"seed 0": ("failed", "the loss of task a is NaN.")}


def test_a_reason_that_does_not_pass_is_noted_once(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0, 1])
    wait_until(lambda: len(cluster.queue) == 2)
    for name in ("11_0", "11_1"):
        cluster.change(name, "PENDING", reason="PartitionTimeLimit")
    wait_until(lambda: following.events.texts("noted"))
    for job in following.jobs:
        finish(job)
    for name in ("11_0", "11_1"):
        cluster.change(name, "COMPLETED")
    following.end()
    assert following.events.texts("noted") == ["waits in the queue as job 11_0, as others may: PartitionTimeLimit"]


def test_a_queue_that_cannot_be_read_for_a_while_ends_nothing(tmp_path: Path, cluster: FakeSlurm) -> None:
    following = Following(tmp_path, [0])
    wait_until(lambda: cluster.queue)
    cluster.says("squeue", *['echo "slurm_load_jobs error: Connection refused" >&2; exit 1'] * 3)
    wait_until(lambda: following.events.texts("noted"))
    finish(following.jobs[0])
    cluster.change("11_0", "COMPLETED")
    assert following.end() == {"seed 0": ("done", "")}
    assert len(following.events.texts("noted")) == 1


def test_ctrl_c_leaves_the_jobs_in_the_queue_and_names_both_commands(tmp_path: Path, cluster: FakeSlurm) -> None:
    class Impatient(Events):
        def refresh(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match=r"2 runs stay in the queue: the same command follows.*`scancel 11`"):
        run(tmp_path, [0, 1], Impatient(), follow=True)
    assert len(cluster.queue) == 2


def test_a_command_that_hangs_has_a_deadline(cluster: FakeSlurm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtbench.engines.slurm.commands.DEADLINE", 0.2)
    cluster.says("squeue", "sleep 5")
    notes: list[str] = []
    commands = Commands(notes.append, lambda _: None)
    assert commands.patiently(commands.queue) == {}
    assert "squeue took more than" in notes[0]
