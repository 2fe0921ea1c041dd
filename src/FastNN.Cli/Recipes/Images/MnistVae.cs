using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A variational autoencoder (Kingma and Welling, 2014) that is told the digit (Sohn et al., 2015), so that its code is the
/// writing alone: digits are written from normal codes, and a walk leads from one test digit's writing to the next one's.
/// </summary>
internal sealed class MnistVae : ScriptedRecipe
{
    private const int Pixels = 784, Classes = 10, Code = 8, Batch = 128;

    /// <summary>The deviation of the codes that digits are written from: below 1, writing is less unusual.</summary>
    private const float Temperature = 0.6f;

    public override string Name => "mnist-vae";

    public override string Network =>
        "encoder Dense 400, 200 ReLU, mean and variance of 8; decoder Dense 200, 400 ReLU, 784 sigmoid; both are told the digit";

    public override string DataDescription => "MNIST, 60,000 digits of 28x28 to train and 10,000 to test";

    public override string TrainingDescription =>
        "evidence lower bound: binary cross-entropy and divergence from a normal code; Adam one-cycle 2e-3, batch 128, 10 epochs";

    public override Goal Goal => new("samples recognized as the digit asked for, at temperature 0.6", 0.85);

    public override Goal QuickGoal => new("evidence lower bound of a test digit in nats", -160);

    public override IReadOnlyList<string> Files => ["encoder.safetensors", "decoder.safetensors"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        using DigitJudge judge = DigitJudge.Train(run, digits);
        var encoder = new Sequential(
            new Dense(400, Activation.ReLU), new Dense(200, Activation.ReLU), new Dense(2 * Code));
        var decoder = new Sequential(
            new Dense(200, Activation.ReLU), new Dense(400, Activation.ReLU), new Dense(Pixels));
        encoder.Build([Pixels + Classes], run.Seed);
        decoder.Build([Code + Classes], run.Seed + 1);
        double bound = Train(run, run.Quick ? digits.Train.Take(12_800) : digits.Train, digits.Test, encoder, decoder);
        run.Keep("encoder.safetensors", encoder);
        run.Keep("decoder.safetensors", decoder);

        using Predictor encode = encoder.CreatePredictor(run.Device), decode = decoder.CreatePredictor(run.Device);
        (float[] walk, int[] walked) = Walk(encode, decode, digits.Test);
        run.Figure("share of a walk that is recognized", judge.Judge(walk, walked).Recognized);
        int[] wanted = [.. Enumerable.Range(0, run.Pick(2000, 500)).Select(i => i % Classes)];
        float[] codes = new RandomNumbers(run.Seed, 2).Normal(wanted.Length * Code);
        run.Figure("samples recognized at temperature 1", judge.Judge(Images(decode, codes, wanted), wanted).Recognized);
        TensorPrimitives.Multiply(codes, Temperature, codes);
        Verdict verdict = judge.Judge(Images(decode, codes, wanted), wanted);
        run.Say(verdict.ToString());
        if (run.Quick)
        {
            return bound;
        }

        run.Require(new Goal("digits that occur", Classes), verdict.Classes);
        return verdict.Recognized;
    }

    private static double Train(ScriptRun run, Dataset train, Dataset test, Layer encoder, Layer decoder)
    {
        int epochs = run.Pick(10, 4);
        using var weights = new DeviceWeights(run.Device, encoder, decoder);
        using var loader = new DataLoader(train, Batch, seed: run.Seed, dropLast: true);
        long steps = (long)epochs * loader.BatchesPerEpoch;
        var optimizer = new Adam { Schedule = Schedule.OneCycle(2e-3f, steps) };
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

    /// <summary>Digits of gray levels from 0 to 1, one for each code.</summary>
    private static float[] Images(Predictor decoder, ReadOnlySpan<float> codes, ReadOnlySpan<int> digits)
    {
        float[] images = decoder.Predict(Told(codes, digits));
        TensorPrimitives.Sigmoid(images, images);
        return images;
    }

    /// <summary>
    /// In ten steps from the writing of each of the first test digits to that of the next; the digit stays the first one.
    /// </summary>
    private static (float[] Images, int[] Digits) Walk(Predictor encoder, Predictor decoder, Dataset test)
    {
        const int Ends = 11, Steps = 10;
        var images = new float[Ends * Pixels];
        int[] labels = [.. Enumerable.Range(0, Ends).Select(test.LabelOf)];
        for (int i = 0; i < Ends; i++)
        {
            test.CopyFeatures(i, images.AsSpan(i * Pixels, Pixels));
        }

        float[] ends = encoder.Predict(Told(images, labels)), codes = new float[(Ends - 1) * Steps * Code];
        for (int i = 0; i < codes.Length; i++)
        {
            (int end, int step, int number) = (i / (Code * Steps), i / Code % Steps, i % Code);
            (float from, float to) = (ends[(end * 2 * Code) + number], ends[((end + 1) * 2 * Code) + number]);
            codes[i] = from + ((to - from) * step / Steps);
        }

        int[] digits = [.. Enumerable.Range(0, (Ends - 1) * Steps).Select(i => labels[i / Steps])];
        return (Images(decoder, codes, digits), digits);
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
