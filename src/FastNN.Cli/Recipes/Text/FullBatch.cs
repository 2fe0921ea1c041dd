using System.Globalization;
using System.Numerics.Tensors;
using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>A classifier whose examples, all of them, are constants of its graph, such as the rows of a sparse matrix.</summary>
internal abstract class FullBatchModel : Layer
{
    /// <summary>The scores of all examples, [N, classes].</summary>
    protected abstract Value Scores(Graph graph);

    /// <param name="x">Says into which graph to record; its values do not matter.</param>
    protected sealed override Value Forward(Value x) => Scores(x.Graph);
}

/// <summary>What a classifier reaches at the step that is best on the validation part.</summary>
/// <param name="Validation">Accuracy of part 1.</param>
/// <param name="Test">Accuracy of part 2.</param>
/// <param name="Voice">What it says of both.</param>
internal readonly record struct FullBatchResult(double Validation, double Test, Voice Voice);

/// <summary>
/// Trains classifiers on all examples at once, of which some are for training (part 0), some choose among steps and models (part
/// 1), and some test (part 2).
/// </summary>
internal sealed class FullBatch(ScriptRun run, int[] labels, int[] parts, int classes)
{
    private const int Ignored = -100;

    /// <summary>How often the validation part is looked at.</summary>
    private const int Every = 10;

    /// <summary>The share of the training part's most frequent class in the test part.</summary>
    public double Majority()
    {
        int frequent = labels.Where((_, i) => parts[i] == 0).CountBy(label => label).MaxBy(pair => pair.Value).Key;
        int[] test = [.. labels.Where((_, i) => parts[i] == 2)];
        return (double)test.Count(label => label == frequent) / test.Length;
    }

    /// <summary>Trains, and gives what it reaches where the accuracy of the validation part is best.</summary>
    /// <param name="name">Of the phase.</param>
    /// <param name="model">The classifier; it is built here.</param>
    /// <param name="optimizer">Made for so many steps.</param>
    /// <param name="steps">Steps.</param>
    /// <param name="penalty">Half of it times the sum of all squared weights is added to the loss; default 0.</param>
    public FullBatchResult Train(
        string name, FullBatchModel model, Optimizer optimizer, int steps, float penalty = 0)
    {
        model.Build([1], run.Seed);
        using var weights = new DeviceWeights(run.Device, model);
        using var step = new TrainingStep(weights, Record, [(optimizer, model.Parameters)], run.Seed);
        using var test = new TrainingStep(weights, Record, [(new Sgd(), model.Parameters)], run.Seed, GraphMode.Inference);
        int[] targets = [.. labels.Select((label, i) => parts[i] == 0 ? label : Ignored)];
        var scores = new float[labels.Length * classes];
        var best = new float[scores.Length];
        double validation = -1;
        using ScriptPhase phase = run.Begin(name, steps);
        for (int i = 1; i <= steps; i++)
        {
            Write(step);
            phase.Step(step.Run());
            if (i % Every == 0 || i == steps)
            {
                Write(test);
                test.Forward();
                test.Read("scores", scores);
                if (Accuracy(scores, 1) is var accuracy && accuracy > validation)
                {
                    validation = accuracy;
                    scores.CopyTo(best, 0);
                }
            }
        }

        return new FullBatchResult(validation, Accuracy(best, 2), new Voice(Probabilities(best, 1), Probabilities(best, 2)));

        void Record(StepBuilder builder)
        {
            Value target = builder.Input("target", [labels.Length], DType.Int32);
            Value rows = model.Apply(target);
            builder.Output("scores", rows);
            builder.Loss("loss", Loss.SparseCrossEntropy.Apply(rows, target));
            foreach (NamedParameter named in model.NamedParameters.Where(one => penalty > 0 && one.Parameter.Shape.Rank == 2))
            {
                Value weight = builder.Graph.Use(named.Parameter);
                builder.Loss(named.Name, (weight * weight).Sum(), penalty / 2);
            }
        }

        void Write(TrainingStep one)
        {
            one.Begin([labels.Length]);
            one.Write("target", targets);
        }
    }

    private float[] Probabilities(float[] scores, int part) => RowSoftmax.Of(
        [
            .. Enumerable.Range(0, labels.Length).Where(i => parts[i] == part)
                .SelectMany(i => scores.AsSpan(i * classes, classes).ToArray()),
        ],
        classes);

    private double Accuracy(float[] scores, int part)
    {
        int count = 0, right = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            if (parts[i] == part)
            {
                count++;
                ReadOnlySpan<float> row = scores.AsSpan(i * classes, classes);
                right += TensorPrimitives.IndexOfMax(row) == labels[i] ? 1 : 0;
            }
        }

        return (double)right / count;
    }
}

/// <summary>Logistic regression on the rows of a sparse matrix.</summary>
internal sealed class SparseRegression(SparseMatrix rows, int classes) : FullBatchModel
{
    private Parameter? _weight, _bias;

    /// <summary>What the regression reaches whose squared penalty is best on the validation part.</summary>
    /// <param name="run">The run.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="batch">Labels and parts.</param>
    /// <param name="rows">[N, features].</param>
    /// <param name="classes">Classes.</param>
    /// <param name="steps">Steps of Adam for each penalty.</param>
    /// <param name="penalties">Half of one times the sum of all squared weights is added to the loss.</param>
    public static FullBatchResult Fit(
        ScriptRun run, string name, FullBatch batch, SparseMatrix rows, int classes, int steps,
        params ReadOnlySpan<float> penalties)
    {
        FullBatchResult best = default;
        foreach (float penalty in penalties)
        {
            string title = string.Create(CultureInfo.InvariantCulture, $"{name}, penalty {penalty:0e0}");
            var optimizer = new Adam { Schedule = Schedule.Linear(0.3f, steps, 0.01f) };
            FullBatchResult one = batch.Train(
                title, new SparseRegression(rows, classes), optimizer, steps, penalty);
            run.Say(string.Create(CultureInfo.InvariantCulture, $"{title}: validation accuracy {one.Validation:0.0000}"));
            best = one.Validation > best.Validation ? one : best;
        }

        return best;
    }

    protected override void Build(Value x)
    {
        _weight = AddParameter("weight", new Shape(rows.Columns, classes), Initializer.Zeros);
        _bias = AddParameter("bias", new Shape(classes), Initializer.Zeros);
    }

    protected override Value Scores(Graph graph) => graph.Use(_weight!).SparseMatMul(rows) + graph.Use(_bias!);
}
