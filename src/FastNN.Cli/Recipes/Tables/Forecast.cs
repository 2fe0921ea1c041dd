using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// The demand for electricity of the coming hours from that of a week, by an LSTM over the days and by temporal convolutions over
/// the half hours, walking forward through weeks that training never saw.
/// </summary>
internal sealed class Forecast : ScriptedRecipe
{
    private const int Day = ElectricityDemand.Day, Week = ElectricityDemand.Week, Past = Week, Horizon = 24, TestWeeks = 3;

    public override string Name => "forecast";

    public override string Network =>
        "LSTM 32 over 7 days of 48 half hours, and five Conv1D 16 of stride 2 over 336 half hours; each with a linear model beside it";

    public override string DataDescription =>
        "half-hourly demand for electricity in England and Wales, 12 weeks; the last three to test";

    public override string TrainingDescription =>
        "smooth L1 on the change from a week before, AdamW in one cycle, batch 64, 10 epochs; forecasts of both averaged, 12 hours ahead from every half hour";

    public override Goal Goal => new("test MAPE", 0.02, AtMost: true);

    public override Goal QuickGoal => new("test MAPE", 0.018, AtMost: true);

    public override IReadOnlyList<string> Files => ["lstm.safetensors", "convolution.safetensors"];

    public override double Run(ScriptRun run)
    {
        float[] demand = ElectricityDemand.Load(run.Data, run.Say, run.Cancellation);
        int first = demand.Length - (TestWeeks * Week);
        float mean = demand.AsSpan(0, first).ToArray().Average();
        float deviation = MathF.Sqrt(demand.Take(first).Average(value => (value - mean) * (value - mean)));
        var series = Array.ConvertAll(demand, value => (value - mean) / deviation);
        Dataset train = Windows(series, Past + Week, first - Horizon), test = Windows(series, first, series.Length - Horizon);
        int epochs = run.Pick(10, 3);
        FastNN.Model recurrent = BesideLinear(
            new Reshape([Past / Day, 2 * Day]), new Lstm(32) { ReturnSequences = false }, new Dropout(0.3f));
        FastNN.Model convolution = BesideLinear(
            [
                .. Enumerable.Range(0, 5).Select(_ => new Conv1D(16, 4, Activation.ReLU) { Stride = 2 }),
                new Flatten(), new Dropout(0.3f),
            ]);
        float[] changes = Train(run, "lstm", recurrent, train, test, epochs);
        run.Figure("test MAPE of the LSTM", Error(demand, first, changes, deviation));
        float[] others = Train(run, "convolution", convolution, train, test, epochs);
        run.Figure("test MAPE of the convolutions", Error(demand, first, others, deviation));
        double naive = Error(demand, first, new float[changes.Length], deviation);
        run.Figure("test MAPE of the week before", naive);
        run.KeepWeights("lstm.safetensors", recurrent);
        run.KeepWeights("convolution.safetensors", convolution);
        double error = Error(demand, first, [.. changes.Zip(others, (a, b) => (a + b) / 2)], deviation);
        run.Require(new Goal("share of the week before's error", run.Quick ? 0.75 : 0.5, AtMost: true), error / naive);
        return error;
    }

    /// <summary>A network that adds what a linear model cannot know.</summary>
    private static FastNN.Model BesideLinear(params Layer[] layers)
    {
        Symbol past = FastNN.Model.Input("past", [Past, 2]);
        Symbol hidden = layers.Aggregate(past, (symbol, layer) => layer.Apply(symbol));
        return new FastNN.Model(
            [past],
            [
                ("changes", new Add().Apply(
                    new Dense(Horizon) { WeightInitializer = Initializer.Zeros }.Apply(new Near().Apply(past)),
                    new Dense(Horizon).Apply(hidden))),
            ]);
    }

    /// <summary>
    /// From every half hour: a week of demands, and of their changes from the week before, in; the changes of the next hours out.
    /// </summary>
    private static Dataset Windows(float[] series, int first, int last)
    {
        int count = last - first + 1;
        var features = new float[count * Past * 2];
        var targets = new float[count * Horizon];
        for (int i = 0; i < count; i++)
        {
            int now = first + i;
            for (int t = 0; t < Past; t++)
            {
                float demand = series[now - Past + t];
                features[((i * Past) + t) * 2] = demand;
                features[(((i * Past) + t) * 2) + 1] = demand - series[now - Past + t - Week];
            }

            for (int h = 0; h < Horizon; h++)
            {
                targets[(i * Horizon) + h] = series[now + h] - series[now + h - Week];
            }
        }

        return Dataset.FromFloats(features, [Past, 2], targets, [Horizon]);
    }

    /// <summary>The last day, and where the hours to come were a week before.</summary>
    private sealed class Near : Layer
    {
        protected override Value Forward(Value x) =>
            Operators.Concat(1, x.Slice(1, Past - Day).Flatten(1), x.Slice(1, 0, Horizon).Flatten(1));
    }

    private static float[] Train(ScriptRun run, string name, FastNN.Model model, Dataset train, Dataset test, int epochs)
    {
        const int Batch = 64;
        int steps = Steps.Of(train.Count, Batch, epochs);
        var optimizer = new AdamW(weightDecay: 0.1f) { Schedule = Schedule.OneCycle(2e-3f, steps), ClipNorm = 1 };
        using var trainer = new Trainer(model, run.Device, new SmoothL1Loss(0.2f), optimizer, run.Seed);
        trainer.Fit(train, epochs, Batch, callbacks: run.Watch(name, epochs), cancellationToken: run.Cancellation);
        return trainer.Predict(test, cancellationToken: run.Cancellation);
    }

    /// <summary>The mean absolute error of all forecasts as a share of the demand.</summary>
    private static double Error(float[] demand, int first, float[] changes, float deviation)
    {
        double sum = 0;
        for (int i = 0; i < changes.Length; i++)
        {
            int at = first + (i / Horizon) + (i % Horizon);
            double forecast = demand[at - Week] + (deviation * (double)changes[i]);
            sum += Math.Abs(forecast - demand[at]) / demand[at];
        }

        return sum / changes.Length;
    }
}
