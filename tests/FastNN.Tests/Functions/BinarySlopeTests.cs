using FastNN.Functions;

namespace FastNN.Tests.Functions;

/// <summary>
/// Every gradient of a function of two numbers against the derivative of its own text, and against the form that its row names.
/// </summary>
internal sealed class BinarySlopeTests
{
    private const int Places = 61;

    private static IEnumerable<string> Functions =>
        FunctionTable.Binary.Where(row => row.Info.IsDifferentiable).Select(row => row.Info.Name);

    [TestCaseSource(nameof(Functions))]
    public void A_gradient_is_the_derivative_of_the_functions_text(string name) =>
        Assert.That(Find(name).Accept(default(Worst)), Is.LessThan(2e-6), "the largest difference, beside a derivative of 1");

    [Test]
    public void A_wrong_gradient_would_be_seen() => Assert.That(Difference<Wrong>(Wrong.Info), Is.GreaterThan(0.1));

    [Test]
    public void Names_are_given_once()
    {
        Assert.That(FunctionTable.Binary.Select(row => row.Info.KernelName), Is.Unique);
        Assert.That(FunctionTable.Binary.Select(row => row.TextName), Is.Unique);
    }

    [Test]
    public void A_function_has_both_gradients_or_none() => Assert.That(
        FunctionTable.Binary.Where(
            row => (row.Info.First.Form == GradientForm.None) != (row.Info.Second.Form == GradientForm.None)), Is.Empty);

    private static BinaryFunction Find(string name) => FunctionTable.Binary.Single(row => row.Info.Name == name);

    private static double Difference<TFunction>(BinaryInfo info)
        where TFunction : struct, IBinaryFunction
    {
        double worst = 0;
        foreach (double a in info.Samples.Spread(Places))
        {
            foreach (double b in info.SecondSamples.Spread(Places).Where(
                b => !info.HasTies || Math.Abs(a - b) >= Samples.Distance))
            {
                Dual first = TFunction.Value(Dual.Variable(a), Dual.Constant(b)),
                second = TFunction.Value(Dual.Constant(a), Dual.Variable(b));
                worst = Math.Max(worst, Relative(Gradient<TFunction>(info, 0, a, b, first.Value), first.Slope));
                worst = Math.Max(worst, Relative(Gradient<TFunction>(info, 1, a, b, second.Value), second.Slope));
            }
        }

        return worst;

        static double Relative(double slope, double expected) => Math.Abs(slope - expected) / Math.Max(1, Math.Abs(expected));
    }

    /// <summary>
    /// What the text gives, or the form; where it has a simple form the two must agree. What is not named as read is NaN.
    /// </summary>
    private static double Gradient<TFunction>(BinaryInfo info, int operand, double a, double b, double y)
        where TFunction : struct, IBinaryFunction
    {
        OperandGradient gradient = info.Gradient(operand);
        Operands reads = gradient.ReadsAs(operand);
        Dual first = Constant(Operands.First, a), second = Constant(Operands.Second, b), output = Constant(Operands.Output, y),
        one = Dual.Constant(1);
        double text = (operand == 0 ? TFunction.FirstGradient(first, second, output, one) : TFunction.SecondGradient(
            first, second, output, one)).Value;
        double form = gradient.Form switch
        {
            GradientForm.Upstream => 1,
            GradientForm.Negated => -1,
            GradientForm.Product => operand == 0 ? b : a,
            _ => text,
        };
        Assert.That(text, Is.EqualTo(form), "the text against the form in the row");
        return text;

        Dual Constant(Operands which, double value) => Dual.Constant((reads & which) != 0 ? value : double.NaN);
    }

    private readonly struct Worst : IBinaryVisitor<double>
    {
        public double Visit<TFunction>(BinaryFunction function)
            where TFunction : struct, IBinaryFunction => Difference<TFunction>(function.Info);
    }

    /// <summary>a b with the gradients of a + b.</summary>
    private readonly struct Wrong : IBinaryFunction
    {
        public static BinaryInfo Info =>
            new("Wrong", "a b", first: OperandGradient.From(Operands.None), second: OperandGradient.From(Operands.None));

        public static T Value<T>(T a, T b)
            where T : struct, ILanes<T> => a * b;

        public static T FirstGradient<T>(T a, T b, T y, T dY)
            where T : struct, ILanes<T> => dY;

        public static T SecondGradient<T>(T a, T b, T y, T dY)
            where T : struct, ILanes<T> => dY;
    }
}
