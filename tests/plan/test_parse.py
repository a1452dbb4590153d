import pytest

from mtbench import registry
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_dataset, parse_method


@pytest.mark.parametrize(
    ("text", "network", "balancer", "title"),
    [
        ("td", "td", "uniform", "td"),
        ("td+uniform", "td", "uniform", "td"),
        ("td:bu2=mul:channels=6", "td:bu2=mul:channels=6", "uniform", "td:bu2=mul:channels=6"),
        ("td:channels=6:bu2=mul", "td:bu2=mul:channels=6", "uniform", "td:bu2=mul:channels=6"),
        ("td:bu2=gated", "td", "uniform", "td"),
        ("td:bu1-loss=1", "td:bu1_loss=1", "uniform", "td:bu1_loss=1"),
        ("td:preset=levi2019", "td", "uniform", "td"),
        ("td:preset=levi2021", "td:bu2=mul:upsample=nearest", "uniform", "td:bu2=mul:upsample=nearest"),
        ("td:preset=levi2021:bu2=add", "td:bu2=add:upsample=nearest", "uniform", "td:bu2=add:upsample=nearest"),
        ("branches", "branches", "uniform", "uniform"),
        ("uniform", "branches", "uniform", "uniform"),
        ("moo", "branches", "mgda-ub", "moo"),
        ("branches+mgda-ub", "branches", "mgda-ub", "moo"),
        ("moo:normalize=loss+", "branches", "mgda-ub:normalise=loss+", "moo:normalize=loss+"),
        ("moo:normalise=loss+", "branches", "mgda-ub:normalise=loss+", "moo:normalize=loss+"),
        ("branches+mgda-ub:normalize=loss+", "branches", "mgda-ub:normalise=loss+", "moo:normalize=loss+"),
        ("branches+fixed:weights=.3/.7", "branches", "fixed:weights=0.3/0.7", "branches+fixed:weights=0.3/0.7"),
        ("chmod+mgda", "chmod", "mgda", "chmod+mgda"),
        ("uniform@lenet:width=2", "branches", "uniform", "uniform@lenet:width=2"),
        ("moo:normalize=loss+@lenet:width=.5", "branches", "mgda-ub:normalise=loss+",
         "moo:normalize=loss+@lenet:width=0.5"),
    ],
)  # fmt: skip
def test_a_method_is_read_into_its_parts_and_named_by_its_shortest_text(
    text: str, network: str, balancer: str, title: str
) -> None:
    method = parse_method(text)
    assert (str(method.network_choice), str(method.balancer_choice), method.title) == (network, balancer, title)


@pytest.mark.parametrize(
    ("text", "backbone"),
    [
        ("td:preset=levi2021@vgg11", "vgg11:last_relu=false"),
        ("td:preset=levi2021@vgg11:width=.5", "vgg11:last_relu=false:width=0.5"),
        ("td:preset=levi2021+mgda@vgg11", "vgg11:last_relu=false"),
        ("td:preset=levi2021@vgg11:last-relu=true", "vgg11"),  # the user's word comes first
        ("td:preset=levi2021@resnet18", "resnet18"),  # has no such option
        ("td:preset=levi2019@vgg11", "vgg11"),
        ("td:bu2=mul:upsample=nearest@vgg11", "vgg11"),
    ],
)
def test_a_preset_sets_options_of_the_backbone_where_it_has_them(text: str, backbone: str) -> None:
    method = parse_method(text)
    assert method.backbone is not None
    assert str(method.backbone.choice) == backbone
    again = parse_method(method.title)
    assert again.backbone is not None
    assert again.backbone.choice == method.backbone.choice


@pytest.mark.parametrize("text", [*registry.entries("method"), "td:preset=levi2021", "moo:normalize=loss+", "td+mgda"])
def test_a_title_is_read_back_as_the_same_method(text: str) -> None:
    method = parse_method(text)
    again = parse_method(method.title)
    assert (again.network_choice, again.balancer_choice, again.title) == (
        method.network_choice,
        method.balancer_choice,
        method.title,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tdx", "method 'tdx' is not installed. Did you mean 'td'? Installed: "),
        (
            "famo",
            "there is no method 'famo'. 'famo' is a balancer: --methods branches+famo. Installed: ",
        ),
        ("td+mgdaub", "balancer 'mgdaub' is not installed. Did you mean 'mgda-ub'? Installed: "),
        ("td:chanels=6", "method 'td' has no option 'chanels'. Did you mean 'channels'? Its options: image, spatial, "),
        ("moo:normalice=l2", "method 'moo' has no option 'normalice'. Did you mean 'normalize'? Its options: "),
        (
            "moo:normalize=l3",
            "option 'normalize' of method 'moo' is 'l3'. Allowed: none, l2, loss, loss+.",
        ),
        ("td:channels=-1", "option 'channels' of method 'td' is -1. Allowed: 0 to 1,000,000."),
        ("td:preset=levi2020", "method 'td' has no preset 'levi2020'. Its presets: levi2019, levi2021."),
        ("td:spatial", "'spatial' in method 'td:spatial' is not an option. An option is name=value."),
        ("td:bu2=add:bu2=mul", "method 'td:bu2=add:bu2=mul' gives option 'bu2' twice."),
        ("td:td-loss=1:td_loss=2", "method 'td:td-loss=1:td_loss=2' gives option 'td_loss' twice."),
        ("moo+uniform", "method 'moo+uniform' adds a balancer to the alias 'moo', which has one."),
        ("td+mgda+uniform", "method 'td+mgda+uniform' has 2 balancers. A method has one."),
        (
            "td+mgda-ub",
            "method 'td+mgda-ub' is no valid combination: balancer 'mgda-ub' needs a SharedRepresentation, ",
        ),
        ("single+mgda", "method 'single+mgda' is no valid combination: the tasks of 'single' share no parameters, "),
        ("td@lenet:width=0", "option 'width' of backbone 'lenet' is 0. Allowed: 0.1 to 64."),
        ("td@lenett", "backbone 'lenett' is not installed. Did you mean 'lenet'? Installed: deeplab, lenet"),
        ("td@", "backbone '' is not installed."),
        ("td+Famo", "balancer 'Famo' is not installed. Did you mean 'famo'?"),
        ("", "method '' is not installed."),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_method(text)
    assert str(error.value).startswith(message)


def test_a_dataset_takes_options_and_refuses_what_it_has_not() -> None:
    assert str(parse_dataset("mmnist4:offset=12").choice) == "mmnist4:offset=12"
    with pytest.raises(UsageError, match=r"dataset 'mmnist5' is not installed\. Did you mean '.*'\? Installed: "):
        parse_dataset("mmnist5")
    with pytest.raises(UsageError, match=r"dataset 'mmnist4' has no option 'ofset'\. Did you mean 'offset'\?"):
        parse_dataset("mmnist4:ofset=3")
