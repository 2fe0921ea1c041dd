using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A variational autoencoder (Kingma and Welling, 2014) that is told the digit (Sohn et al., 2015), so that its code is the
/// handwriting alone: digits are drawn from normal codes, and a walk leads from one test digit's handwriting to the next one's.
/// </summary>
internal sealed class MnistVae : ScriptedRecipe
{
    private const int Pixels = 784, Classes = 10, Batch = 128;

    /// <summary>
    /// Numbers in a code. The more there are, the better digits are reconstructed, but the more of the normal distribution is
    /// left to codes that no digit has.
    /// </summary>
    private const int Code = 3;

    public override string Name => "mnist-vae";

    public override string Network =>
        "encoder Dense 400, 200, mean and variance of 3; decoder Dense 256, 7x7x32, ConvTranspose 32 4x4, ConvTranspose 1 4x4";

    public override string DataDescription => "MNIST, 60,000 digits of 28x28 to train and 10,000 to test";

    public override string TrainingDescription =>
        "evidence lower bound: binary cross-entropy and divergence from a normal code; Adam one-cycle 3e-3, batch 128, 8 epochs";

    public override Goal Goal => new("samples recognized as the digit asked for", 0.85);

    /// <summary>Without a code, the mean gray level of each pixel gives about -206.</summary>
    public override Goal QuickGoal => new("evidence lower bound of a test digit in nats", -160);

    public override IReadOnlyList<string> Files => ["encoder.safetensors", "decoder.safetensors", "mnist-vae.png"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        using DigitJudge judge = DigitJudge.Train(run, digits);
        Sequential encoder = CreateEncoder(), decoder = CreateDecoder();
        encoder.Build([Pixels + Classes], run.Seed);
        decoder.Build([Code + Classes], run.Seed + 1);
        Dataset test = digits.Test.Take(run.Pick(10_000, 2_000));
        double bound = Train(run, run.Quick ? digits.Train.Take(12_800) : digits.Train, test, encoder, decoder);
        run.Keep("encoder.safetensors", encoder);
        run.Keep("decoder.safetensors", decoder);

        using Predictor encode = encoder.CreatePredictor(run.Device), decode = decoder.CreatePredictor(run.Device);
        Reconstruct(run, judge, encode, decode, test.Take(run.Pick(2000, 500)));
        (float[] walk, int[] walked) = Walk(encode, decode, digits.Test);
        run.Figure("share of a walk that is recognized", judge.Judge(walk, walked).Recognized);
        int[] wanted = [.. Enumerable.Range(0, run.Pick(2000, 500)).Select(i => i % Classes)];
        float[] samples = Images(decode, new RandomNumbers(run.Seed, 2).Normal(wanted.Length * Code), wanted);
        run.Keep("mnist-vae.png", stream => stream.Write(Picture(samples, walk)));
        Verdict verdict = judge.Judge(samples, wanted);
        run.Say(verdict.ToString());
        if (run.Quick)
        {
            return bound;
        }

        run.Require(new Goal("digits that occur", Classes), verdict.Classes);
        return verdict.Recognized;
    }

    private static Sequential CreateEncoder() => new(Hidden(400), Hidden(200), new Dense(2 * Code));

    /// <summary>Gives logits of the gray levels.</summary>
    private static Sequential CreateDecoder() => new(
        Hidden(256), Hidden(7 * 7 * 32), new Reshape([7, 7, 32]),
        new ConvTranspose2D(32, 4, Activation.ReLU) { Stride = 2, Padding = 1, WeightInitializer = Initializer.HeUniform },
        new ConvTranspose2D(1, 4) { Stride = 2, Padding = 1 }, new Flatten());

    private static Dense Hidden(int units) => new(units, Activation.ReLU) { WeightInitializer = Initializer.HeUniform };

    /// <summary>Trains both, and gives the evidence lower bound of the test digits.</summary>
    private static double Train(ScriptRun run, Dataset train, Dataset test, Layer encoder, Layer decoder)
    {
        int epochs = run.Pick(8, 4);
        using var weights = new DeviceWeights(run.Device, encoder, decoder);
        using var loader = new DataLoader(train, Batch, seed: run.Seed, dropLast: true);
        long steps = (long)epochs * loader.BatchesPerEpoch;
        var optimizer = new Adam { Schedule = Schedule.OneCycle(3e-3f, steps) };
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value x = s.Input("x", [Batch, Pixels]), noise = s.Input("noise", [Batch, Code]);
                Value digit = s.Input("digit", [Batch], DType.Int32).OneHot(Classes);
                Value[] code = encoder.Apply(Operators.Concat(-1, x, digit)).Chunk(2);
                (Value mean, Value logVariance) = (code[0], code[1]);
                Value drawn = mean + ((logVariance * 0.5f).Exp() * noise);
                Value logits = decoder.Apply(Operators.Concat(-1, drawn, digit));

                // Both are means over batch and elements; the bound has sums over elements.
                s.Loss("reconstruction", Loss.BinaryCrossEntropyWithLogits.Apply(logits, x), Pixels);
                s.Loss("divergence", (logVariance.Exp() + mean.Square() - 1 - logVariance).Mean() * 0.5f, Code);
            },
            [(optimizer, [.. encoder.Parameters, .. decoder.Parameters])]);
        step.Begin([Batch, Pixels], [Batch, Code], [Batch]);
        var random = new RandomNumbers(run.Seed, 1);
        var noise = new float[Batch * Code];
        using (ScriptPhase phase = run.Begin("training", steps))
        {
            for (int epoch = 1; epoch <= epochs; epoch++)
            {
                loader.StartEpoch(epoch);
                while (loader.TryNext(out Batch batch))
                {
                    Write(batch);
                    phase.Step(step.Run());
                }
            }
        }

        double bound = 0;
        using var tests = new DataLoader(test, Batch, shuffle: false, dropLast: true);
        foreach (Batch batch in tests)
        {
            Write(batch);
            bound -= step.Forward();
        }

        bound /= tests.BatchesPerEpoch;
        run.Figure("evidence lower bound of a test digit in nats", bound);
        return bound;

        void Write(Batch batch)
        {
            random.FillNormal(noise);
            step.Write("x", batch.Features);
            step.Write("noise", noise);
            step.Write("digit", batch.Labels);
        }
    }

    /// <summary>Notes what the judge makes of test digits, and of what is left of them behind their codes.</summary>
    private static void Reconstruct(ScriptRun run, DigitJudge judge, Predictor encoder, Predictor decoder, Dataset test)
    {
        int[] labels = test.Labels();
        float[] images = test.Features(), means = Means(encoder, images, labels);
        run.Figure("test digits recognized", judge.Judge(images, labels).Recognized);
        run.Figure("reconstructions recognized", judge.Judge(Images(decoder, means, labels), labels).Recognized);
    }

    /// <summary>
    /// In ten steps from the handwriting of each of the first test digits to that of the next; the digit stays the first one.
    /// </summary>
    private static (float[] Images, int[] Digits) Walk(Predictor encoder, Predictor decoder, Dataset test)
    {
        const int Walks = 10, Steps = 10;
        test = test.Take(Walks + 1);
        int[] labels = test.Labels();
        float[] ends = Means(encoder, test.Features(), labels), codes = new float[Walks * Steps * Code];
        for (int i = 0; i < codes.Length; i++)
        {
            (int walk, int step, int number) = (i / (Code * Steps), i / Code % Steps, i % Code);
            (float from, float to) = (ends[(walk * Code) + number], ends[((walk + 1) * Code) + number]);
            codes[i] = from + ((to - from) * step / (Steps - 1));
        }

        int[] digits = [.. Enumerable.Range(0, Walks * Steps).Select(i => labels[i / Steps])];
        return (Images(decoder, codes, digits), digits);
    }

    /// <summary>Five samples of each digit, and below them five walks from left to right.</summary>
    private static byte[] Picture(ReadOnlySpan<float> samples, ReadOnlySpan<float> walk)
    {
        const int Half = 5 * 10;
        float[] images = [.. samples[..(Half * Pixels)], .. walk[..(Half * Pixels)]];
        return new ImageGrid { Columns = 10 }.Encode(images, [2 * Half, 28, 28]);
    }

    /// <summary>The middle of what the encoder takes for each digit's code.</summary>
    private static float[] Means(Predictor encoder, ReadOnlySpan<float> images, ReadOnlySpan<int> digits)
    {
        float[] both = encoder.Predict(Told(images, digits)), means = new float[digits.Length * Code];
        for (int i = 0; i < digits.Length; i++)
        {
            both.AsSpan(2 * i * Code, Code).CopyTo(means.AsSpan(i * Code, Code));
        }

        return means;
    }

    /// <summary>Digits of gray levels from 0 to 1, the probabilities of white, one for each code.</summary>
    private static float[] Images(Predictor decoder, ReadOnlySpan<float> codes, ReadOnlySpan<int> digits)
    {
        float[] images = decoder.Predict(Told(codes, digits));
        TensorPrimitives.Sigmoid(images, images);
        return images;
    }

    /// <summary>Rows of numbers, each followed by a vector that tells the digit.</summary>
    private static float[] Told(ReadOnlySpan<float> rows, ReadOnlySpan<int> digits)
    {
        int width = rows.Length / digits.Length;
        var told = new float[digits.Length * (width + Classes)];
        for (int i = 0; i < digits.Length; i++)
        {
            Span<float> row = told.AsSpan(i * (width + Classes), width + Classes);
            rows.Slice(i * width, width).CopyTo(row);
            row[width + digits[i]] = 1;
        }

        return told;
    }
}
