using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Digits out of noise: a diffusion model (Ho et al., 2020) that is told the digit, sampled by chance in as many steps as it was
/// trained with (DDPM), and without chance in 25 (DDIM; Song et al., 2021).
/// </summary>
internal sealed class MnistDiffusion : ScriptedRecipe
{
    private const int Pixels = 784, Classes = 10, TimeSteps = 200, Batch = 64, Together = 100;

    /// <summary>The share of digits that the network is not told in training.</summary>
    private const float Untold = 0.1f;

    /// <summary>How far samples are led beyond what telling the digit changes (Ho and Salimans, 2022); 0 is not at all.</summary>
    private const float Guidance = 2;

    private static readonly Shape Images = [Batch, 28, 28, 1];
    private static readonly NoiseSchedule Noise = NoiseSchedule.Cosine(TimeSteps);

    public override string Name => "mnist-diffusion";

    public override string Network =>
        "U-Net of residual blocks: 14x14 with 32 channels, 7x7 with 64, group normalization, time and digit in every block";

    public override string DataDescription => "MNIST, 60,000 digits of 28x28";

    public override string TrainingDescription =>
        "200 steps of noise, velocity by mean squared error, AdamW one-cycle 3e-3, batch 64, 3 epochs; averaged weights";

    public override Goal Goal => new("DDIM samples recognized as the digit asked for", 0.90);

    public override Goal QuickGoal =>
        new("mean squared error of the predicted velocity, whose mean square is 1", 0.5, AtMost: true);

    public override IReadOnlyList<string> Files => ["unet.safetensors", "mnist-diffusion.png"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        using DigitJudge judge = DigitJudge.Train(run, digits);
        Model unet = DenoisingUnet.Create(run.Pick(32, 8));
        unet.Build(run.Seed);
        using Session session = Train(run, (run.Quick ? digits.Train.Take(6_400) : digits.Train).Rescale(2, -1), unet);
        (float[] random, int[] randomly) =
            Sample(run, session, "DDPM", run.Pick(200, 100), run.Pick(TimeSteps, 20), isRandom: true);
        (float[] samples, int[] wanted) =
            Sample(run, session, "DDIM", run.Pick(1000, 100), run.Pick(25, 10), isRandom: false);
        run.Keep("mnist-diffusion.png", stream => stream.Write(Picture(random, samples)));
        Verdict ofRandom = judge.Judge(random, randomly), verdict = judge.Judge(samples, wanted);
        run.Say($"DDPM: {ofRandom}");
        run.Say($"DDIM: {verdict}");
        if (run.Quick)
        {
            return run.Losses["training"].TakeLast(50).Average();
        }

        run.Require(new Goal("DDPM samples recognized as the digit asked for", 0.90), ofRandom.Recognized);
        run.Require(new Goal("digits that occur", Classes), verdict.Classes);
        return verdict.Recognized;
    }

    /// <summary>Trains, and gives what samples with the average of the weights.</summary>
    private static Session Train(ScriptRun run, Dataset digits, Model unet)
    {
        const int Epochs = 3;
        using var weights = new DeviceWeights(run.Device, unet);
        using var loader = new DataLoader(digits, Batch, seed: run.Seed, dropLast: true);
        long steps = (long)Epochs * loader.BatchesPerEpoch;
        var optimizer = new AdamW(weightDecay: 1e-4f)
        {
            Schedule = Schedule.OneCycle(run.Quick ? 8e-3f : 3e-3f, steps),
            ClipNorm = 1,
            Average = WeightAverage.Exponential(0.99f),
        };
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value x = s.Input("x", Images), time = s.Input("time", [Batch, 1]);
                Value velocity = unet.Apply(x, time, s.Input("digit", [Batch, Classes]))[0];
                s.Loss("error", Loss.MeanSquaredError.Apply(velocity, s.Input("velocity", Images)));
            },
            [(optimizer, unet.Parameters)]);
        step.Begin(Images, [Batch, 1], [Batch, Classes], Images);
        var random = new RandomNumbers(run.Seed, 1);
        float[] x = new float[Batch * Pixels], velocity = new float[Batch * Pixels];
        float[] times = new float[Batch], told = new float[Batch * Classes], noise = new float[Pixels];
        using ScriptPhase phase = run.Begin("training", steps);
        for (int epoch = 1; epoch <= Epochs; epoch++)
        {
            loader.StartEpoch(epoch);
            while (loader.TryNext(out Batch batch))
            {
                Array.Clear(told);
                for (int i = 0; i < Batch; i++)
                {
                    if (random.Uniform() >= Untold)
                    {
                        told[(i * Classes) + batch.Labels[i]] = 1;
                    }

                    // As many from each part of the time: so the loss of a batch depends less on chance.
                    int at = 1 + (int)(TimeSteps * (i + random.Uniform()) / Batch);
                    times[i] = at / (float)TimeSteps;
                    random.FillNormal(noise);
                    ReadOnlySpan<float> digit = batch.Features.Slice(i * Pixels, Pixels);
                    Noise.Diffuse(digit, noise, at, x.AsSpan(i * Pixels, Pixels));
                    Noise.Velocity(digit, noise, at, velocity.AsSpan(i * Pixels, Pixels));
                }

                step.Write("x", x);
                step.Write("time", times);
                step.Write("digit", told);
                step.Write("velocity", velocity);
                phase.Step(step.Run());
            }
        }

        using IDisposable average = step.UseAverage();
        run.KeepWeights("unet.safetensors", unet);
        return unet.CreateSession(run.Device);
    }

    /// <summary>As many samples of each digit, of gray levels from 0 to 1.</summary>
    private static (float[] Images, int[] Digits) Sample(
        ScriptRun run, Session session, string name, int count, int steps, bool isRandom)
    {
        var random = new RandomNumbers(run.Seed, 2);
        float[] images = random.Normal(count * Pixels);
        int[] digits = [.. Enumerable.Range(0, count).Select(i => i % Classes)];
        using ScriptPhase phase = run.Begin(name, count / Together * steps);
        for (int first = 0; first < count; first += Together)
        {
            Span<float> some = images.AsSpan(first * Pixels, Together * Pixels);
            Denoise(session, some, digits.AsSpan(first, Together), Noise.Respace(steps), isRandom ? random : null, phase);
        }

        foreach (ref float pixel in images.AsSpan())
        {
            pixel = (pixel + 1) / 2;
        }

        return (images, digits);
    }

    /// <summary>Four samples of each digit by DDPM, and below them four by DDIM.</summary>
    private static byte[] Picture(ReadOnlySpan<float> random, ReadOnlySpan<float> samples)
    {
        const int Half = 4 * Classes;
        float[] images = [.. random[..(Half * Pixels)], .. samples[..(Half * Pixels)]];
        return new ImageGrid { Columns = Classes }.Encode(images, [2 * Half, 28, 28]);
    }

    /// <summary>Makes digits of noise.</summary>
    private static void Denoise(
        Session session, Span<float> x, ReadOnlySpan<int> digits, int[] times, RandomNumbers? random, ScriptPhase phase)
    {
        const int Rows = 2 * Together;
        float[] both = new float[2 * x.Length], velocity = new float[2 * x.Length];
        float[] time = new float[Rows], told = new float[Rows * Classes];
        var fresh = new float[random is null ? 0 : x.Length];
        for (int i = 0; i < digits.Length; i++)
        {
            told[(i * Classes) + digits[i]] = 1;
        }

        for (int i = 1; i < times.Length; i++)
        {
            x.CopyTo(both);
            x.CopyTo(both.AsSpan(x.Length));
            time.AsSpan().Fill(times[i - 1] / (float)TimeSteps);
            using (SessionRun predict = session.Begin([Rows, 28, 28, 1], [Rows, 1], [Rows, Classes]))
            {
                predict.Write<float>("x", both);
                predict.Write<float>("time", time);
                predict.Write<float>("digit", told);
                predict.Compute();
                predict.Read<float>("velocity", velocity);
            }

            Span<float> with = velocity.AsSpan(0, x.Length), without = velocity.AsSpan(x.Length);
            for (int k = 0; k < with.Length; k++)
            {
                with[k] += Guidance * (with[k] - without[k]);
            }

            random?.FillNormal(fresh);
            Noise.Denoise(x, with, times[i - 1], times[i], fresh, limit: 1);
            phase.Step();
        }
    }
}
