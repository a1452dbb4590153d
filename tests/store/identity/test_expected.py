"""Code that has changed between the submission of a run and its start."""

from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.errors import CodeChanged, StoreError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.expected import Expected, expected_of, read_expected, write_expected
from mtbench.store.identity.fingerprint import fingerprints


def planned(*methods: str) -> list[RunSpec]:
    return plan(Request(methods=methods, datasets=["toy-all"], settings={}, seeds=[0]))


def with_edited(expected: Expected, name: str, module: str) -> Expected:
    """Return the code as it was before a module of a plug-in was edited."""
    before = replace(expected.code[name], hash="0" * 64, modules={**expected.code[name].modules, module: "0" * 16})
    return replace(expected, code={**expected.code, name: before})


def test_code_that_is_as_it_was_submitted_is_accepted_after_a_way_through_a_file(tmp_path: Path) -> None:
    specs = planned("td", "uniform")
    write_expected(tmp_path / "expected.json", expected_of(specs))
    expected = read_expected(tmp_path / "expected.json")
    assert {"method td", "method branches", "balancer uniform", "backbone lenet"} <= set(expected.code)
    for spec in specs:
        expected.check(spec, fingerprints(spec, "data"))


@pytest.mark.parametrize(
    ("name", "module", "text"),
    [
        ("method td", "mtbench_methods.networks.td.network", "the code of method 'td' has changed"),
        ("balancer uniform", "mtbench_methods.balancers.loss_weights.uniform", "the code of balancer 'uniform'"),
        ("backbone lenet", "mtbench.backbones.lenet", "the code of backbone 'lenet'"),
        ("dataset toy-all", "mtbench_toys.datasets", "the code of dataset 'toy-all'"),
    ],
)
def test_a_run_is_refused_by_the_name_of_the_plugin_and_the_module_that_changed(
    name: str, module: str, text: str
) -> None:
    (spec,) = planned("td")
    expected = with_edited(expected_of([spec]), name, module)
    with pytest.raises(CodeChanged, match=text) as caught:
        expected.check(spec, fingerprints(spec, "data"))
    assert f"({module})" in str(caught.value)


def test_a_change_of_another_method_is_no_reason_to_refuse_a_run() -> None:
    td, uniform = planned("td", "uniform")
    expected = with_edited(expected_of([td, uniform]), "method td", "mtbench_methods.networks.td.network")
    expected.check(uniform, fingerprints(uniform, "data"))


def test_runs_of_a_changed_harness_and_runs_that_were_not_submitted_are_refused() -> None:
    td, uniform = planned("td", "uniform")
    older = replace(expected_of([td]), numerics=1)
    with pytest.raises(CodeChanged, match=r"mtbench has changed since the run was submitted: NUMERICS 1 -> \d"):
        older.check(td, fingerprints(td, "data"))
    refused = "not among those submitted: method 'branches' is not. Give --expect the file that was written"
    with pytest.raises(CodeChanged, match=refused):
        expected_of([td]).check(uniform, fingerprints(uniform, "data"))


@pytest.mark.parametrize("text", ["", "[]", '{"numerics": 6}', '{"numerics": "six", "code": {}}', "\0" * 10])
def test_a_file_that_holds_no_code_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "expected.json").write_text(text)
    with pytest.raises(StoreError, match=r"expected\.json is no file of the code of submitted runs\. Give --expect"):
        read_expected(tmp_path / "expected.json")
    with pytest.raises(StoreError, match=r"none\.json cannot be read"):
        read_expected(tmp_path / "none.json")
