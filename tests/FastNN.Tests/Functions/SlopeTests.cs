using FastNN.Functions;

namespace FastNN.Tests.Functions;

/// <summary>Every gradient that was written by hand against the derivative of the function's own text, over the places its row names.</summary>
internal sealed class SlopeTests
{
    private const int Places = 2001;

    private static IEnumerable<string> Functions => FunctionTable.Unary.Select(function => function.Info.Name);

    [TestCaseSource(nameof(Functions))]
    public void A_gradient_is_the_derivative_of_the_functions_text(string name)
    {
        UnaryFunction function = FunctionTable.Unary.Single(row => row.Info.Name == name);
        double worst = function.Accept(default(Worst));
        Assert.That(worst, Is.LessThan(2e-6), "the largest difference, beside a derivative of 1");
    }

    [TestCaseSource(nameof(Losses))]
    public void A_losses_slope_is_the_derivative_of_its_text(string name)
    {
        LossFunction loss = FunctionTable.Losses.Single(row => row.TextName == name);
        Assert.That(loss.Accept(default(WorstOfLoss)), Is.LessThan(2e-6), "the largest difference, beside a derivative of 1");
    }

    [TestCaseSource(nameof(Losses))]
    public void The_targets_of_a_symmetric_loss_have_the_slope_that_its_elements_have(string name)
    {
        LossFunction loss = FunctionTable.Losses.Single(row => row.TextName == name);
        Assert.That(loss.Accept(default(IsSymmetric)), Is.EqualTo(loss.Info.IsSymmetric));
    }

    [Test]
    public void The_slope_of_a_penalty_is_the_derivative_of_its_term()
    {
        var scalars = new Scalars(0.3f, 0.7f);
        foreach (double x in new Samples(-3, 3, 0).Spread(Places))
        {
            double slope = PenaltyTerm.Value(Dual.Variable(x), scalars).Slope;
            Assert.That(PenaltyTerm.Slope(Dual.Constant(x), scalars).Value, Is.EqualTo(slope).Within(2e-6));
        }

        Assert.That(PenaltyTerm.Slope(Dual.Constant(0), scalars).Value, Is.Zero);
    }

    [Test]
    public void A_wrong_gradient_would_be_seen() => Assert.That(Difference<Wrong>(Wrong.Info), Is.GreaterThan(0.1));

    private static double Difference<TFunction>(FunctionInfo info)
        where TFunction : struct, IUnaryFunction
    {
        Scalars scalars = info.Defaults;
        Reads reads = info.ReadsWith(scalars);
        double worst = 0;
        foreach (double x in info.Samples.Spread(Places))
        {
            Dual y = TFunction.Value(Dual.Variable(x), scalars);
            Dual argument = Dual.Constant(reads == Reads.Output ? y.Value : x);
            double slope = TFunction.Gradient(argument, Dual.Constant(1), scalars).Value;
            worst = Math.Max(worst, Math.Abs(slope - y.Slope) / Math.Max(1, Math.Abs(y.Slope)));
        }

        return worst;
    }

    private readonly struct Worst : IUnaryVisitor<double>
    {
        public double Visit<TFunction>(UnaryFunction function)
            where TFunction : struct, IUnaryFunction => Difference<TFunction>(function.Info);
    }

    private static IEnumerable<string> Losses => FunctionTable.Losses.Select(loss => loss.TextName);

    /// <summary>None of them is where a loss has a kink for an element of the spread.</summary>
    private static double[] TargetsOf(LossInfo loss) => loss.Targets switch
    {
        LossTargets.Numbers => [-2.12345, -0.31415, 0.27182, 1.61803],
        LossTargets.Probabilities => [0, 0.271828, 0.5, 1],
        LossTargets.LogProbabilities => [-4.2, -1.7, -0.3],
        _ => [-1, 1],
    };

    private readonly struct WorstOfLoss : ILossVisitor<double>
    {
        public double Visit<TFunction>(LossFunction loss)
            where TFunction : struct, ILossFunction
        {
            Scalars scalars = loss.Info.Defaults;
            double worst = 0;
            foreach (double target in TargetsOf(loss.Info))
            {
                foreach (double x in loss.Info.Samples.Spread(Places))
                {
                    (Dual t, Dual p) = (Dual.Constant(target), Dual.Constant(1.7));
                    double expected = TFunction.Value(Dual.Variable(x), t, p, scalars).Slope, slope = TFunction.Slope(Dual.Constant(x), t, p, scalars).Value;
                    worst = Math.Max(worst, Math.Abs(slope - expected) / Math.Max(1, Math.Abs(expected)));
                }
            }

            return worst;
        }
    }

    /// <summary>Whether elements and targets may change places, tried at a few.</summary>
    private readonly struct IsSymmetric : ILossVisitor<bool>
    {
        public bool Visit<TFunction>(LossFunction loss)
            where TFunction : struct, ILossFunction
        {
            Scalars scalars = loss.Info.Defaults;
            return Array.TrueForAll(TargetsOf(loss.Info), target => loss.Info.Samples.Spread(7).All(x =>
            {
                (Dual a, Dual b, Dual p) = (Dual.Constant(x), Dual.Constant(target), Dual.Constant(1.7));
                return Math.Abs(TFunction.Value(a, b, p, scalars).Value - TFunction.Value(b, a, p, scalars).Value) < 1e-9;
            }));
        }
    }

    /// <summary>x^2 with the gradient of x^3.</summary>
    private readonly struct Wrong : IUnaryFunction
    {
        public static FunctionInfo Info => new("Wrong", "x^2");

        public static T Value<T>(T x, Scalars s)
            where T : struct, ILanes<T> => x * x;

        public static T Gradient<T>(T x, T dY, Scalars s)
            where T : struct, ILanes<T> => 3f * x * x * dY;
    }
}
