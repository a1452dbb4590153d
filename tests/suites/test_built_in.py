import tomllib
from functools import cache
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import mtbench
from mtbench import registry
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.plan.suite import AcrossClaim, Claim, PaperTable, Relation, Suite, rendered
from mtbench.plan.suite.built_in import built_in_suites
from mtbench.plan.suite.file import read_suite
from mtbench.plan.suite.planned import later_rows, places, plan_suite
from mtbench.plan.toml_lines import Fault
from mtbench.search.planning import plan_search
from mtbench.search.request import TUNING, SearchRequest

SUITES = built_in_suites()
DRAWN = ("zhao2018", "levi2021", "celeba-classification")
SEARCHED = [name for name, path in SUITES.items() if "search" in tomllib.loads(path.read_text())]


@cache
def read(name: str) -> tuple[Suite | None, list[Fault]]:
    return read_suite(SUITES[name])


def suite(name: str) -> Suite:
    found, faults = read(name)
    assert found is not None, faults
    return found


@cache
def ids(*names: str) -> set[str]:
    return {spec.id for name in names for spec in plan_suite(suite(name))}


def means(name: str, dataset: str = "mmnist2") -> dict[str, list[float]]:
    """Return by method the published means of the tasks."""
    (table,) = [table for table in suite(name).paper if table.dataset == dataset]
    found = {method: [table.number(method, column) for column in table.columns] for method in table.rows}
    return {method: [value[0] for value in values if value is not None] for method, values in found.items()}


@pytest.mark.parametrize("name", SUITES)
def test_a_built_in_suite_has_no_fault_and_says_what_it_is(name: str) -> None:
    found, faults = read(name)
    assert faults == []
    assert found is not None
    assert found.title
    assert found.source
    assert found.note  # every one of them departs from its source in something
    assert "\n" not in found.note
    assert "  " not in found.note


@pytest.mark.parametrize("name", SUITES)
def test_a_built_in_suite_plans_each_of_its_runs_once_per_seed_at_its_own_and_at_quick_size(name: str) -> None:
    found = suite(name)
    later = later_rows(found)
    cells = sum(len(part.datasets) * len(part.methods) * len(part.variations()) for part in found.grid) - len(later)
    assert len({(place.dataset, place.method, place.variation) for place in places(found).values()}) == cells
    protocols = [parse_dataset(dataset).dataset_class.protocols for part in found.grid for dataset in part.datasets]
    for base, seeds in ((found.base, found.settings["seeds"]), ("quick", protocols[0]["quick"].seeds)):
        specs = plan_suite(found, base=base)
        assert len({spec.id for spec in specs}) == cells * int(str(seeds))
        assert {spec.protocol.name for spec in specs} == {base}
        own = found.settings.get("epochs") if base == found.base else None
        expected = {protocol[base].epochs for protocol in protocols} if own is None else {int(str(own))}
        assert {spec.protocol.epochs for spec in specs} == expected


@pytest.mark.parametrize("name", SUITES)
def test_every_published_row_and_every_claim_is_of_a_place_in_the_grid(name: str) -> None:
    found = suite(name)
    known = [*places(found).values(), *(row.place for row in later_rows(found))]
    there = {(place.dataset, place.method, place.variation) for place in known}
    tables: list[PaperTable | Relation] = [*found.paper, *found.relation]
    for table in tables:
        variation = tuple(sorted(rendered(table.set).items()))
        assert {(table.dataset, method, variation) for method in table.rows} <= there
    for claim in found.claim:
        for dataset, settings in claim.where:
            variation = tuple(sorted(rendered(settings).items()))
            assert {(dataset, method, variation) for method in claim.methods} <= there
        assert claim.margin >= 0
        assert claim.source or name == "levi2020-table1"


@pytest.mark.parametrize("name", SEARCHED)
def test_the_searches_of_a_built_in_suite_can_be_planned_and_cost_each_method_the_same(name: str) -> None:
    found = suite(name)
    for part in found.search:
        request = SearchRequest(
            datasets=part.datasets,
            methods=part.methods,
            protocol=found.base,
            settings=rendered({**found.settings, **part.set}),
            space=part.space,
            sampler=part.sampler,
            objective=part.objective,
            trials=part.trials,
            seeds=range(TUNING, TUNING + part.seeds),
            points=part.points,
        )
        studies = plan_search(request)
        assert len(studies) == len(part.datasets) * len(part.methods)
        assert {study.trials for study in studies} == {part.trials}


def test_the_rate_that_the_grid_has_is_one_of_those_that_are_searched() -> None:
    for name in ("learning-rate", "sener2018-table3"):
        found = suite(name)
        (part,) = found.search
        asked = {spec.protocol.lr for spec in plan_suite(found)}
        assert len(asked) == 1
        assert asked < {float(text) for text in part.space["lr"].split("/")}
        assert part.methods == found.grid[0].methods


def test_every_method_that_comes_along_has_its_learning_rate_searched_once() -> None:
    def ours(kind: str) -> list[str]:
        return [name for name, entry in registry.entries(kind).items() if entry.distribution == "mtbench"]

    networks = [name for name in ours("method") if not parse_method(name).network_class.kinds]
    everything = [*networks, *(f"branches+{name}" for name in ours("balancer") if name != "fixed")]
    (part,) = suite("learning-rate").search
    searched = [parse_method(name).title for name in part.methods]
    assert len(set(searched)) == len(searched)
    assert set(searched) == {parse_method(name).title for name in everything}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("levi2020-table5", ["levi2020-table1"]),
        ("levi2020-fig4b", ["levi2020-table1"]),
        ("number-of-tasks", ["levi2020-table1", "mmnist9"]),
        ("levi2020-fig4cd", ["levi2020-table4"]),
        ("levi2020-fig4cd-mini", ["levi2020-table4-mini"]),
        ("zhao2018-fig4", ["zhao2018-table3"]),
        ("zhao2018-fig4-mini", ["zhao2018-table3-mini"]),
        ("zhao2018-overhead", ["zhao2018-table5"]),
    ],
)
def test_runs_that_a_note_calls_those_of_another_suite_are_the_same_runs(name: str, others: list[str]) -> None:
    assert ids(name) <= ids(*others)


def test_rows_without_regularization_and_with_dropout_are_the_runs_of_the_suite_with_the_papers_numbers() -> None:
    mine = plan_suite(suite("regularization"))
    assert {spec.protocol.weight_decay for spec in mine} == {0.0, 1e-4}
    assert {spec.id for spec in mine if not spec.protocol.weight_decay} < ids("levi2020-two-digits")


def test_the_gap_is_of_runs_of_table_1_and_the_two_digit_ones_are_shared_with_the_rows_without_dropout() -> None:
    specs = [spec for spec in plan_suite(suite("mueller2024-gap")) if spec.titles.method != "mtan"]
    two = {spec.id for spec in specs if spec.dataset.name == "mmnist2"}
    assert len(two) == 5 * 5
    assert {spec.id for spec in specs} <= ids("levi2020-table1")
    assert two <= ids("levi2020-two-digits")


def test_the_runs_without_a_switch_of_what_moves_tables_are_those_of_the_named_runs() -> None:
    plain = [
        spec
        for spec in plan_suite(suite("what-moves-tables"))
        if (spec.protocol.norm_eval, spec.protocol.clip, spec.protocol.gradient_scale) == ("running", 0, "native")
    ]
    rooms = {spec.id for spec in plain if spec.dataset.name == "dense-mini"}
    faces = {spec.id for spec in plain if spec.dataset.name == "faces-mini" and spec.balancer.name == "uniform"}
    assert (len(rooms), len(faces)) == (8 * 3, 5 * 3)
    assert rooms <= ids("dense-mini")
    assert faces <= ids("retrieval-mini")


@pytest.mark.parametrize("end", ["", "-mini"])
def test_the_runs_of_up_to_40_questions_over_their_number_are_those_of_the_other_suites(end: str) -> None:
    few = {
        spec.id
        for spec in plan_suite(suite(f"clevr-scaling{end}"))
        if "329" not in str(spec.dataset) and "about" not in str(spec.dataset)
    }
    assert few
    assert few <= ids(f"levi2020-table3{end}", f"clevr40{end}")


def test_what_a_question_gains_from_others_in_table_3_is_as_printed() -> None:
    found = {
        (method, task): [means("levi2020-table3", f"clevr{count}")[method][int(task[1]) - 1] for count in (2, 3, 4)]
        for method in ("td", "uniform", "single")
        for task in ("q1", "q2")
    }
    assert found["td", "q1"] == [98.17, 98.25, 98.43]
    assert found["td", "q2"] == [98.19, 97.92, 98.16]
    assert found["single", "q1"] == [97.81, 96.92, 96.73]
    across = [claim for claim in suite("levi2020-table3").claim if isinstance(claim, AcrossClaim)]
    gains = {("td", ""): 0.26, ("td", "uniform"): 0.26 + 0.62}
    for (method, against), gain in gains.items():
        (claim,) = [
            each
            for each in across
            if (each.method, each.against, each.task, each.datasets) == (method, against, "q1", ("clevr4", "clevr2"))
        ]
        rows = [found[name, "q1"] for name in claim.methods]
        assert rows[0][2] - rows[0][0] - sum(row[2] - row[0] for row in rows[1:]) == pytest.approx(gain)


def test_what_a_task_is_added_to_is_compared_with_runs_of_table_1() -> None:
    joint = {spec.id for spec in plan_suite(suite("adding-a-task")) if spec.protocol.adds == "none"}
    film = {spec.id for spec in plan_suite(suite("adding-a-task")) if spec.titles.method == "film"}
    assert joint - film <= ids("levi2020-table1")
    assert joint


def test_the_gains_of_table_2a_follow_from_its_accuracies() -> None:
    table = {method: np.mean(values) for method, values in means("levi2020-table2a", "mmnist4").items()}
    gains = [table[method] - table["chmod"] for method in ("td:spatial=false", "td:image=false", "td")]
    assert np.allclose(gains, [0.407, 2.747, 3.258], atol=6e-4)  # printed as +0.41, +2.75, +3.26
    assert means("levi2020-table2a", "mmnist4")["chmod"] == means("levi2020-table1", "mmnist4")["chmod"]
    assert means("levi2020-table2a", "mmnist4")["td"] == means("levi2020-table1", "mmnist4")["td"]


def test_the_gain_over_single_tasks_with_four_digits_is_that_of_table_1() -> None:
    table = {method: np.array(values) for method, values in means("levi2020-table1", "mmnist4").items()}
    assert 100 * np.mean((table["td"] - table["single"]) / table["single"]) == pytest.approx(0.522, abs=5e-4)


def test_the_means_over_the_two_tasks_of_tables_2b_to_2d_are_the_papers() -> None:
    known = {
        "levi2020-table2b": [96.60, 96.69, 96.465, 96.07, 95.945],
        "levi2020-table2c": [96.075, 96.605, 96.675, 95.91, 96.35],
        "levi2020-table2d": [96.60, 96.23, 96.19, 96.185],
    }
    for name, expected in known.items():
        assert np.allclose([np.mean(values) for values in means(name).values()], expected, atol=1e-9)


def test_the_means_of_sener_and_koltuns_table_3_are_theirs() -> None:
    printed = [96.57, 95.73, 95.88, 95.56, 96.58]
    assert np.allclose([np.mean(values) for values in means("sener2018-table3").values()], printed, atol=0.0101)


def test_the_standard_deviations_of_kurin_et_al_give_back_their_intervals() -> None:
    found = suite("kurin2022-multimnist")
    (table,) = found.paper
    printed = {"Unit. Scal.": 0.44, "IMTL": 0.25, "MGDA": 0.20, "PCGrad": 0.36, "RLW Norm.": 0.89, "GradDrop": 1.28}
    assert {found.labels[method] for method in table.rows} == printed.keys()
    for method in table.rows:
        number = table.number(method, "mean")
        assert number is not None
        assert number[1] is not None
        half = stats.t.ppf(0.975, table.n - 1) * number[1] / np.sqrt(table.n)
        assert half == pytest.approx(printed[found.labels[method]], abs=5e-4)


def test_kurin_et_als_protocol_holds_out_a_split_and_lets_the_rate_fall_each_epoch() -> None:
    (protocol,) = {spec.protocol for spec in plan_suite(suite("kurin2022-multimnist"))}
    assert protocol.validation
    assert [protocol.learning_rate(epoch) for epoch in (0, 1, 2)] == pytest.approx([1e-2, 9.5e-3, 9.025e-3])


def test_sener_and_koltuns_protocol_halves_the_rate_every_30_epochs() -> None:
    (protocol,) = {spec.protocol for spec in plan_suite(suite("sener2018-table3"))}
    rates = [protocol.learning_rate(epoch) / protocol.lr for epoch in (0, 29, 30, 59, 60, 89, 90, 99)]
    assert rates == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_the_nested_tasks_grow_without_losing_one() -> None:
    datasets = suite("number-of-tasks-nested").grid[0].datasets
    tasks = [{task.name for task in parse_dataset(name).tasks()} for name in datasets]
    assert [len(each) for each in tasks] == [2, 3, 5, 9]
    assert all(less < more for less, more in pairwise(tasks))


def test_the_weights_by_hand_sum_to_one_and_step_by_a_tenth() -> None:
    names = [method for method in suite("levi2020-fig4a").grid[0].methods if "weights=" in method]
    weights = sorted(parse_method(name).balancer_options.weights for name in names)
    expected = [(tenth / 10, 1 - tenth / 10) for tenth in range(1, 10) if tenth != 5]
    assert np.allclose(weights, expected)


def test_auxiliary_losses_are_tried_in_every_combination() -> None:
    options = [parse_method(name).network_options for name in suite("levi2020-table2d").grid[0].methods]
    assert {(each.bu1_loss, each.td_loss) for each in options} == set(product((0, 1), repeat=2))


def test_the_means_of_the_rows_of_zhao_et_als_table_3_are_not_its_averages() -> None:
    found = {method: np.mean(values) for method, values in means("zhao2018-table3", "celeba20").items()}
    rows = {
        **{"chmod:first=4": 87.96, "csn": 77.68, "itn": 87.44, "fsn": 74.37},
        **{"ib:size=256": 86.80, "ib:size=25": 78.55, "only-mask:first=4": 81.01},
    }
    assert found == pytest.approx(rows, abs=0.005)
    printed = [84.86, 72.81, 84.61, 69.4, 83.69, 75.47, 76.32]
    assert min(abs(found[method] - average) for method, average in zip(rows, printed, strict=True)) > 2


def test_the_groups_of_attributes_that_zhao_et_al_name_improve_over_itn_in_their_table() -> None:
    (table,) = suite("zhao2018-table3").paper
    groups = [claim for claim in suite("zhao2018-table3").claim if isinstance(claim, Claim) and claim.tasks]
    gains = []
    for claim in groups:
        pairs = [[table.number(method, task) for task in claim.tasks] for method in claim.contrast]
        ours, itn = (np.mean([number[0] for number in numbers if number]) for numbers in pairs)
        gains.append(ours - itn)
    assert gains == pytest.approx([(90.2 - 87.29 + 91.45 - 89.57) / 2, (0.41 + 0.18 + 0.39) / 3])


def test_the_means_of_the_rows_of_zhao_et_als_table_5_are_its_averages_but_for_rounding() -> None:
    rows = means("zhao2018-table5", "celeba7").values()
    assert len(rows) == 8
    for *row, average in rows:
        assert np.mean(row) == pytest.approx(average, abs=0.011)


def test_table_4_has_every_pair_of_seven_attributes_and_two_values_where_its_triangles_disagree() -> None:
    (table,) = suite("zhao2018-table4").relation
    tasks = [task.name for task in parse_dataset("celeba7").tasks()]
    assert {frozenset(pair.split("/")) for pair in table.pairs} == set(map(frozenset, combinations(tasks, 2)))
    assert len(table.pairs) == 21
    several = {
        (method, pair): table.values(method, pair)
        for method, pair in product(table.rows, table.pairs)
        if len(table.values(method, pair)) > 1
    }
    assert several == {
        ("chmod:first=4", "bald/big-lips"): (67.60, 67.70),
        ("fsn", "smiling/big-lips"): (49.49, 46.49),
    }
    assert all(min(table.values("chmod:first=4", pair)) > max(table.values("fsn", pair)) for pair in table.pairs)


def test_the_ratios_of_table_1_are_of_the_trainings_that_the_text_compares() -> None:
    found = {
        (method, pair, relation.dataset.count("/") + 1): relation.values(method, pair)
        for relation in suite("zhao2018-table1").relation
        for method, pair in product(relation.rows, relation.pairs)
        if relation.quantity == "compliance"
    }
    young, mouth = "smiling/young", "smiling/mouth-slightly-open"
    assert found == {
        **{("fsn", young, 2): (22.1,), ("fsn", mouth, 2): (43.71,)},
        **{("chmod:first=4", young, 3): (50.63,), ("chmod:first=4", mouth, 3): (52.77,)},
    }


def test_the_means_of_table_6_are_its_averages_but_for_that_of_itn() -> None:
    found = {method: np.mean(values) for method, values in means("zhao2018-table6", "zappos50k").items()}
    assert found == pytest.approx({"fsn": 75.46, "itn": 86.55, "csn": 86.73, "chmod:first=4": 88.17}, abs=0.0051)


def test_the_shoes_of_table_6_are_not_comparable_and_the_note_says_which_of_three_tests_they_are() -> None:
    found = suite("zhao2018-table6")
    assert "not comparable" in found.title
    assert all("not comparable" in table.source for table in found.paper)
    assert all(who in found.note for who in ("Veit et al.", "Yu and Grauman 2014", "materials and kinds"))


def test_a_suite_on_drawn_pictures_judges_the_claims_of_its_paper() -> None:
    drawn = [name for name in SUITES if name.startswith(DRAWN) and name.endswith("-mini")]
    assert len(drawn) == 9
    for name in drawn:
        pair = [suite(each).claim for each in (name.removesuffix("-mini"), name)]
        first, second = ([(claim.methods, claim.margin, claim.source) for claim in claims] for claims in pair)
        assert first == second


def test_suites_are_found_where_they_are_installed() -> None:
    assert {path.parent for path in SUITES.values()} == {Path(mtbench.__file__).parent / "suites"}


def test_the_means_of_table_4_are_those_of_its_parts_but_for_one() -> None:
    (table,) = suite("levi2020-table4").paper
    assert len(table.rows) == 6
    off = {}
    for method in table.rows:
        *parts, mean = (table.number(method, column) for column in table.columns)
        assert len(parts) == 12
        assert mean is not None
        off[method] = mean[0] - sum(part[0] for part in parts if part) / 12
    assert off.pop("chmod:loc_loss=1") == pytest.approx(0.043, abs=0.001)
    assert all(abs(difference) < 0.01 for difference in off.values())


def test_libmtls_numbers_on_nyuv2_are_never_the_authors_and_those_are_what_famo_prints() -> None:
    tables = suite("nyuv2-libmtl").paper
    assert [table.metric for table in tables] == ["miou", "median-angle"] * 2
    for own, authors in zip(tables[:2], tables[2:], strict=True):
        assert own.rows.keys() == authors.rows.keys()
        assert not [method for method in own.rows if own.rows[method] == authors.rows[method]]
        (famo,) = (table for table in suite("nyuv2-famo").paper if table.metric == authors.metric)
        shared = famo.rows.keys() & authors.rows.keys()
        assert len(shared) == 6
        assert all(famo.rows[method] == authors.rows[method] for method in shared)
