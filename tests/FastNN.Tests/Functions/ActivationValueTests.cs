using FastNN.Functions;

namespace FastNN.Tests.Functions;

/// <summary>Activation functions as values.</summary>
internal sealed class ActivationValueTests
{
    [Test]
    public void Without_parentheses_a_function_has_its_default_parameter()
    {
        Activation leaky = Activation.LeakyReLU;
        Assert.That(leaky, Is.EqualTo(Activation.LeakyReLU(0.01f)));
        Assert.That(leaky, Is.EqualTo(Activation.LeakyReLU()));
        Assert.That(leaky == Activation.LeakyReLU, Is.True);
    }

    [Test]
    public void Two_are_equal_if_function_and_parameters_are()
    {
        Assert.That(Activation.LeakyReLU(0.2f), Is.Not.EqualTo(Activation.LeakyReLU(0.3f)));
        Assert.That(Activation.ReLU, Is.Not.EqualTo(Activation.Sigmoid));
        Activation leaky = Activation.LeakyReLU(0.01f);
        Assert.That(leaky.GetHashCode(), Is.EqualTo(Activation.LeakyReLU().GetHashCode()));
    }

    [Test]
    public void The_default_is_none()
    {
        Assert.That(default(Activation), Is.EqualTo(Activation.None));
        Assert.That(Activation.None.Name, Is.EqualTo("None"));
        Assert.That(() => Activation.None.Function, Throws.InvalidOperationException);
    }

    [Test]
    public void Text_names_the_parameters_where_they_are_not_the_default()
    {
        Assert.That(Activation.ReLU.ToString(), Is.EqualTo("ReLU"));
        Assert.That(Activation.LeakyReLU(0.01f).ToString(), Is.EqualTo("LeakyReLU"));
        Assert.That(Activation.LeakyReLU(0.25f).ToString(), Is.EqualTo("LeakyReLU(0.25)"));
    }

    [Test]
    public void An_epilogue_has_one_parameter_at_most() => Assert.That(
        FunctionTable.Unary.Where(row => row.Info.MayBeEpilogue).Select(row => row.Info.Scalars.Length),
        Is.All.LessThanOrEqualTo(1));

    [Test]
    public void Names_are_given_once()
    {
        Assert.That(FunctionTable.Unary.Select(row => row.Info.KernelName), Is.Unique);
        Assert.That(FunctionTable.Unary.Select(row => row.TextName), Is.Unique);
    }
}
