using FastNN.Functions;

namespace FastNN.Tests.Functions;

/// <summary>
/// Every gradient that was written by hand against the derivative of the function's own text, over the places its row names.
/// </summary>
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
    public void The_slopes_of_reductions_are_the_derivatives_of_their_folds()
    {
        Assert.Multiple(() =>
        {
            Assert.That(DifferenceOfFold<SumFold, ScaledSlope>(y => y), Is.LessThan(1e-9), "sum");
            Assert.That(DifferenceOfFold<MagnitudesFold, SignSlope>(y => y), Is.LessThan(1e-9), "magnitudes");
            Assert.That(DifferenceOfFold<SquaresFold, OverResultSlope>(Dual.Sqrt), Is.LessThan(1e-9), "norm");
            Assert.That(
                DifferenceOfFold<CenteredSquaresFold, CenteredSlope>(y => y, saved: 0.3, scale: 2), Is.LessThan(1e-6),
                "variance");
            Assert.That(
                DifferenceOfFold<CenteredSquaresFold, CenteredOverResultSlope>(Dual.Sqrt, saved: 0.3), Is.LessThan(1e-6),
                "deviation");
            Assert.That(
                DifferenceOfFold<LogOfExponentialsFold, ExponentialSlope>(y => y, saved: 0.3), Is.LessThan(2e-6),
                "log of exponentials");
            Assert.That(DifferenceOfFold<ProductFold, ProductSlope>(y => y), Is.LessThan(1e-9), "product");
            Assert.That(DifferenceOfFold<LargestFold, ExtremeSlope>(y => y, saved: 1), Is.LessThan(1e-9), "largest");
            Assert.That(DifferenceOfFold<SmallestFold, ExtremeSlope>(y => y, saved: 1), Is.LessThan(1e-9), "smallest");
        });
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

    /// <summary>The largest difference over the terms of a fold, of which each in turn is the variable.</summary>
    private static double DifferenceOfFold<TFold, TSlope>(Func<Dual, Dual> root, double saved = 0, double scale = 1)
        where TFold : struct, IFold
        where TSlope : struct, ISlope
    {
        double[] terms = [0.7, -1.3, 2.1, 0.4, -0.6];
        Dual center = Dual.Constant(saved);
        double worst = 0;
        for (int variable = 0; variable < terms.Length; variable++)
        {
            Dual[] halves = [TFold.Start, TFold.Start];
            for (int i = 0; i < terms.Length; i++)
            {
                halves[i & 1] = TFold.Step(
                    halves[i & 1], i == variable ? Dual.Variable(terms[i]) : Dual.Constant(terms[i]), center);
            }

            Dual y = root(TFold.Finish(TFold.Join(halves[0], halves[1]), center));
            double slope = TSlope.Of(
                Dual.Constant(terms[variable]), Dual.Constant(y.Value), center, Dual.Constant(0), Dual.Constant(1),
                Dual.Constant(scale)).Value;
            worst = Math.Max(worst, Math.Abs(slope - y.Slope));
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
        LossTargets.Counts => [0, 1, 2, 7],
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
                    double expected = TFunction.Value(Dual.Variable(x), t, p, scalars).Slope,
                    slope = TFunction.Slope(Dual.Constant(x), t, p, scalars).Value;
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
