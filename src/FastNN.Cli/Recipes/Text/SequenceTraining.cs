using System.Globalization;
using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Cli.Recipes;

/// <summary>What a classifier says of the validation and the test part: probabilities, [examples, classes].</summary>
internal readonly record struct Voice(float[] Validation, float[] Test);

/// <summary>
/// Trains classifiers of sequences of symbols, in batches of sequences of about the same length, which are filled up with padding
/// to one of a few lengths. Examples of part 0 are for training, of part 1 for validation, of part 2 for the test.
/// </summary>
internal sealed class SequenceTraining(ScriptRun run, int[][] texts, int[] labels, int[] parts, int classes)
{
    /// <summary>Examples of a batch; default 64.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Batches whose sequences are put in the order of their lengths.</summary>
    private const int Sorted = 32;

    /// <summary>Lengths are filled up to a multiple of this; default 32.</summary>
    public int Granule { get; init; } = 32;

    /// <summary>The share of words that training takes for unknown ones; default 0.</summary>
    public float WordDropout { get; init; }

    /// <summary>What is taken from the target's probability and given to all classes; default 0.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>Trains with AdamW in one cycle, gradients clipped to norm 1, and notes the test accuracy.</summary>
    /// <param name="name">Of the phase.</param>
    /// <param name="reader">Symbols [B, T] become scores [B, classes].</param>
    /// <param name="epochs">Epochs.</param>
    /// <param name="rate">The highest learning rate.</param>
    /// <param name="decay">Of the weights.</param>
    public Voice Train(string name, Layer reader, int epochs, float rate, float decay)
    {
        int[] order = Of(0);
        int steps = epochs * (order.Length / Batch);
        var optimizer = new AdamW(weightDecay: decay) { Schedule = Schedule.OneCycle(rate, steps), ClipNorm = 1 };
        Symbol input = Model.Input("symbols", [Dim.Named("T")], DType.Int32);
        var model = new Model(input, reader.Apply(input));
        model.Build(run.Seed);
        using var weights = new DeviceWeights(run.Device, model);
        using var step = new TrainingStep(weights, Record, [(optimizer, model.Parameters)], run.Seed);
        using var test = new TrainingStep(weights, Record, [(new Sgd(), model.Parameters)], run.Seed, GraphMode.Inference);
        var random = new RandomNumbers(run.Seed, 1);
        using (ScriptPhase phase = run.Begin(name, steps))
        {
            for (int epoch = 0; epoch < epochs; epoch++)
            {
                foreach (int[] batch in Shuffle(order, run.Seed, (uint)epoch))
                {
                    Write(step, batch, random);
                    phase.Step(step.Run());
                }

                if (epoch % 2 == 1)
                {
                    double accuracy = Accuracy(Predict(test, Of(1)), part: 1);
                    run.Say(string.Create(
                        CultureInfo.InvariantCulture, $"{name}, epoch {epoch + 1}: validation accuracy {accuracy:0.0000}"));
                }
            }
        }

        var voice = new Voice(Predict(test, Of(1)), Predict(test, Of(2)));
        run.Figure($"test accuracy of the {name}", Accuracy(voice.Test));
        return voice;

        void Record(StepBuilder builder)
        {
            Value symbols = builder.Input("symbols", [Batch, Dim.Named("T")], DType.Int32);
            Value scores = model.Apply(symbols);
            builder.Output("probabilities", scores.Softmax());
            var loss = new CrossEntropyLoss { ClassIndices = true, LabelSmoothing = LabelSmoothing };
            builder.Loss("loss", loss.Apply(scores, builder.Input("label", [Batch], DType.Int32)));
        }
    }

    /// <summary>The share of right predictions.</summary>
    /// <param name="scores">Scores or probabilities of a part's examples.</param>
    /// <param name="part">The part; default 2, the test.</param>
    public double Accuracy(float[] scores, int part = 2)
    {
        int[] examples = Of(part);
        return (double)examples.Where((example, i) =>
            TensorPrimitives.IndexOfMax(scores.AsSpan(i * classes, classes)) == labels[example]).Count() / examples.Length;
    }

    /// <summary>The share of test examples that the mean of several classifiers' probabilities gets right.</summary>
    public double MeanAccuracy(params Voice[] voices)
    {
        double validation = Accuracy(Mean(voices, voice => voice.Validation), part: 1);
        run.Say(string.Create(
            CultureInfo.InvariantCulture, $"mean of {voices.Length} classifiers: validation accuracy {validation:0.0000}"));
        return Accuracy(Mean(voices, voice => voice.Test));
    }

    /// <summary>A voice that is as sure as it is right on the validation part, so that it drowns no other in a mean.</summary>
    public Voice Calibrate(Voice voice)
    {
        float[] validation = Logarithms(voice.Validation), test = Logarithms(voice.Test);
        float temperature = Calibration.FitTemperature(validation, [.. Of(1).Select(i => labels[i])]);
        return new Voice(RowSoftmax.Of(validation, classes, temperature), RowSoftmax.Of(test, classes, temperature));
    }

    private static float[] Mean(Voice[] voices, Func<Voice, float[]> part) =>
        [.. Enumerable.Range(0, part(voices[0]).Length).Select(i => voices.Average(voice => part(voice)[i]))];

    private static float[] Logarithms(float[] probabilities) =>
        Array.ConvertAll(probabilities, probability => MathF.Log(MathF.Max(probability, 1e-30f)));

    private int[] Of(int part) => [.. Enumerable.Range(0, texts.Length).Where(i => parts[i] == part)];

    /// <summary>Full batches in a random order, each of sequences of about the same length.</summary>
    private IEnumerable<int[]> Shuffle(int[] examples, ulong seed, uint epoch)
    {
        Philox.Shuffle(examples, seed, Philox.Stream(RandomUse.Shuffle, epoch));
        int[][] batches = [
            .. examples.Chunk(Batch * Sorted).SelectMany(some => some.OrderBy(i => texts[i].Length).Chunk(Batch))
                .Where(batch => batch.Length == Batch)];
        int[] order = [.. Enumerable.Range(0, batches.Length)];
        Philox.Shuffle(order, seed, Philox.Stream(RandomUse.Split, epoch));
        return order.Select(i => batches[i]);
    }

    private void Write(TrainingStep step, int[] batch, RandomNumbers? random)
    {
        int length = Math.Max(1, (batch.Max(i => texts[i].Length) + Granule - 1) / Granule) * Granule;
        var symbols = new int[Batch * length];
        var targets = new int[Batch];

        // No sequence is empty, nor is what fills up the last batch: attention needs a word to attend to.
        for (int row = 0; row < Batch; row++)
        {
            symbols[row * length] = WordVocabulary.Unknown;
        }

        for (int row = 0; row < batch.Length; row++)
        {
            texts[batch[row]].CopyTo(symbols, row * length);
            targets[row] = labels[batch[row]];
        }

        if (random is not null && WordDropout > 0)
        {
            foreach (ref int symbol in symbols.AsSpan())
            {
                symbol = symbol != WordVocabulary.Padding && random.Uniform() < WordDropout ? WordVocabulary.Unknown : symbol;
            }
        }

        step.Begin([Batch, length], [Batch]);
        step.Write("symbols", symbols);
        step.Write("label", targets);
    }

    /// <summary>The probabilities of some examples, in their order.</summary>
    private float[] Predict(TrainingStep step, int[] examples)
    {
        var probabilities = new float[examples.Length * classes];
        var some = new float[Batch * classes];
        int[] byLength = [.. Enumerable.Range(0, examples.Length).OrderBy(i => texts[examples[i]].Length)];
        foreach (int[] places in byLength.Chunk(Batch))
        {
            Write(step, [.. places.Select(i => examples[i])], null);
            step.Forward();
            step.Read("probabilities", some);
            for (int row = 0; row < places.Length; row++)
            {
                some.AsSpan(row * classes, classes).CopyTo(probabilities.AsSpan(places[row] * classes));
            }
        }

        return probabilities;
    }
}
