using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Digits out of noise: a diffusion model (Ho et al., 2020) that is told the digit, sampled by chance in as many steps as it was
/// trained with (DDPM), and without chance in 25 (DDIM; Song et al., 2021).
/// </summary>
internal sealed class MnistDiffusion : ScriptedRecipe
{
    private const int Pixels = 784, Classes = 10, TimeSteps = 200, Batch = 64, Together = 100;

    private static readonly Shape Images = [Batch, 28, 28, 1];
    private static readonly NoiseSchedule Noise = NoiseSchedule.Cosine(TimeSteps);

    public override string Name => "mnist-diffusion";

    public override string Network =>
        "U-Net of residual blocks: 14x14 with 32 channels, 7x7 with 64, group normalization, time and digit in every block";

    public override string DataDescription => "MNIST, 60,000 digits of 28x28";

    public override string TrainingDescription =>
        "200 steps of noise, velocity by mean squared error, AdamW one-cycle 3e-3, batch 64, 2 epochs; averaged weights";

    public override Goal Goal => new("samples recognized as the digit asked for", 0.90);

    public override Goal QuickGoal => new("error of the predicted velocity, whose square is 1", 0.5, AtMost: true);

    public override IReadOnlyList<string> Files => ["unet.safetensors"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        using DigitJudge judge = DigitJudge.Train(run, digits);
        Model unet = DenoisingUnet.Create(run.Pick(32, 8));
        unet.Build(run.Seed);
        using Session session = Train(run, (run.Quick ? digits.Train.Take(6_400) : digits.Train).Rescale(2, -1), unet);
        Verdict random = Judge(run, judge, session, "DDPM", count: run.Pick(200, 100), run.Pick(TimeSteps, 20), isRandom: true);
        run.Figure("DDPM samples recognized", random.Recognized);
        Verdict verdict = Judge(run, judge, session, "DDIM", run.Pick(1000, 100), run.Pick(25, 10), isRandom: false);
        if (run.Quick)
        {
            return run.Losses["training"].TakeLast(50).Average();
        }

        run.Require(new Goal("digits that occur", Classes), verdict.Classes);
        return verdict.Recognized;
    }

    /// <summary>Trains, and gives what samples with the average of the weights.</summary>
    private static Session Train(ScriptRun run, Dataset digits, Model unet)
    {
        const int Epochs = 2;
        using var weights = new DeviceWeights(run.Device, unet);
        using var loader = new DataLoader(digits, Batch, seed: run.Seed, dropLast: true);
        long steps = (long)Epochs * loader.BatchesPerEpoch;
        var optimizer = new AdamW(weightDecay: 1e-4f)
        {
            Schedule = Schedule.OneCycle(3e-3f, steps),
            ClipNorm = 1,
            Average = WeightAverage.Exponential(0.99f),
        };
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value x = s.Input("x", Images), time = s.Input("time", [Batch, 1]);
                Value digit = s.Input("digit", [Batch], DType.Int32).OneHot(Classes);
                Value velocity = unet.Apply(x, time, digit)[0];
                s.Loss("error", Loss.MeanSquaredError.Apply(velocity, s.Input("velocity", Images)));
            },
            [(optimizer, unet.Parameters)]);
        step.Begin(Images, [Batch, 1], [Batch], Images);
        var random = new RandomNumbers(run.Seed, 1);
        float[] x = new float[Batch * Pixels], velocity = new float[Batch * Pixels];
        float[] times = new float[Batch], noise = new float[Pixels];
        using ScriptPhase phase = run.Begin("training", steps);
        for (int epoch = 1; epoch <= Epochs; epoch++)
        {
            loader.StartEpoch(epoch);
            while (loader.TryNext(out Batch batch))
            {
                for (int i = 0; i < Batch; i++)
                {
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
                step.Write("digit", batch.Labels);
                step.Write("velocity", velocity);
                phase.Step(step.Run());
            }
        }

        using IDisposable average = step.UseAverage();
        run.Keep("unet.safetensors", unet);
        return unet.CreateSession(run.Device);
    }

    private static Verdict Judge(
        ScriptRun run, DigitJudge judge, Session session, string name, int count, int steps, bool isRandom)
    {
        var random = new RandomNumbers(run.Seed, 2);
        float[] images = random.Normal(count * Pixels);
        int[] digits = [.. Enumerable.Range(0, count).Select(i => i % Classes)];
        using (ScriptPhase phase = run.Begin(name, count / Together * steps))
        {
            for (int first = 0; first < count; first += Together)
            {
                Span<float> some = images.AsSpan(first * Pixels, Together * Pixels);
                Sample(session, some, digits.AsSpan(first, Together), Noise.Respace(steps), isRandom ? random : null, phase);
            }
        }

        foreach (ref float pixel in images.AsSpan())
        {
            pixel = (pixel + 1) / 2;
        }

        Verdict verdict = judge.Judge(images, digits);
        run.Say($"{name}: {verdict}");
        return verdict;
    }

    /// <summary>Makes digits of noise.</summary>
    private static void Sample(
        Session session, Span<float> x, ReadOnlySpan<int> digits, int[] times, RandomNumbers? random, ScriptPhase phase)
    {
        float[] velocity = new float[x.Length], time = new float[Together], told = new float[Together * Classes];
        var fresh = new float[random is null ? 0 : x.Length];
        for (int i = 0; i < digits.Length; i++)
        {
            told[(i * Classes) + digits[i]] = 1;
        }

        for (int i = 1; i < times.Length; i++)
        {
            time.AsSpan().Fill(times[i - 1] / (float)TimeSteps);
            using (SessionRun predict = session.Begin([Together, 28, 28, 1], [Together, 1], [Together, Classes]))
            {
                predict.Write<float>("x", x);
                predict.Write<float>("time", time);
                predict.Write<float>("digit", told);
                predict.Compute();
                predict.Read<float>("velocity", velocity);
            }

            random?.FillNormal(fresh);
            Noise.Denoise(x, velocity, times[i - 1], times[i], fresh, limit: 1);
            phase.Step();
        }
    }
}
