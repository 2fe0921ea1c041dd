using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A generator and a discriminator as adversaries (Goodfellow et al., 2014), both convolutional (Radford et al., 2016), the
/// discriminator also telling the digit (Odena et al., 2017): two networks, two optimizers and two steps in turn over the same
/// weights.
/// </summary>
internal sealed class MnistGan : ScriptedRecipe
{
    private const int Code = 32, Classes = 10, Batch = 64;

    public override string Name => "mnist-gan";

    public override string Network =>
        "generator Dense 7x7x32, ConvTranspose 16 4x4, ConvTranspose 1 4x4; discriminator Conv 16 4x4, Conv 32 4x4, Dense 11";

    public override string DataDescription => "MNIST, 60,000 digits of 28x28";

    public override string TrainingDescription =>
        "logistic and class losses in turn, Adam 1e-3 with beta1 0.5 for each, batch 64, 4 epochs; samples of averaged weights";

    public override Goal Goal => new("samples recognized as the digit asked for", 0.85);

    public override Goal QuickGoal => new("samples recognized as the digit asked for", 0.20);

    public override IReadOnlyList<string> Files => ["generator.safetensors", "mnist-gan.png"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        using DigitJudge judge = DigitJudge.Train(run, digits);
        Sequential generator = CreateGenerator(), discriminator = CreateDiscriminator();
        generator.Build([Code + Classes], run.Seed);
        discriminator.Build([28, 28, 1], run.Seed + 1);
        Dataset train = run.Quick ? digits.Train.Take(6_400) : digits.Train;
        using Predictor samples = Train(run, train, generator, discriminator);
        Verdict verdict = Sample(run, samples, judge);
        run.Say(verdict.ToString());
        if (!run.Quick)
        {
            run.Require(new Goal("digits that occur", Classes), verdict.Classes);
        }

        return verdict.Recognized;
    }

    private static Sequential CreateGenerator() => new(
        new Dense(7 * 7 * 32) { UseBias = false }, new Reshape([7, 7, 32]), new BatchNorm2D(),
        new ActivationLayer(Activation.ReLU),
        new ConvTranspose2D(16, 4) { Stride = 2, Padding = 1, UseBias = false }, new BatchNorm2D(),
        new ActivationLayer(Activation.ReLU),
        new ConvTranspose2D(1, 4, Activation.Sigmoid) { Stride = 2, Padding = 1 });

    /// <summary>The first output says whether an image is real, the others which digit it shows.</summary>
    private static Sequential CreateDiscriminator() => new(
        new Conv2D(16, 4, Activation.LeakyReLU(0.2f)) { Stride = 2, Padding = 1 }, new Dropout(0.3f),
        new Conv2D(32, 4, Activation.LeakyReLU(0.2f)) { Stride = 2, Padding = 1 }, new Dropout(0.3f),
        new Flatten(), new Dense(1 + Classes));

    /// <summary>Trains both, and gives what the average of the generator makes of codes.</summary>
    private static Predictor Train(ScriptRun run, Dataset digits, Layer generator, Layer discriminator)
    {
        int epochs = run.Pick(4, 3);
        using var weights = new DeviceWeights(run.Device, generator, discriminator);
        using var loader = new DataLoader(digits, Batch, seed: run.Seed, dropLast: true);
        long steps = (long)epochs * loader.BatchesPerEpoch;
        Schedule rate = Schedule.Warmup(50).Then(Schedule.Linear(1e-3f, steps, 1e-4f));
        using var judging = new TrainingStep(
            weights,
            s =>
            {
                (Value fake, _) = Generate(s, generator);
                Value[] ofReal = Judge(discriminator, s.Input("real", [Batch, 28, 28, 1]));
                s.Loss("real", (-ofReal[0]).Softplus().Mean());
                s.Loss("fake", Judge(discriminator, fake.StopGradient())[0].Softplus().Mean());
                s.Loss("class", Loss.SparseCrossEntropy.Apply(ofReal[1], s.Input("digit", [Batch], DType.Int32)));
            },
            [(new Adam(beta1: 0.5f) { Schedule = rate }, discriminator.Parameters)], run.Seed);
        var average = WeightAverage.Exponential(run.Quick ? 0.95f : 0.99f);
        using var generating = new TrainingStep(
            weights,
            s =>
            {
                (Value fake, Value digit) = Generate(s, generator);
                Value[] judged = Judge(discriminator, fake);
                s.Loss("fake", (-judged[0]).Softplus().Mean());
                s.Loss("class", Loss.SparseCrossEntropy.Apply(judged[1], digit));
            },
            [(new Adam(beta1: 0.5f) { Schedule = rate, Average = average }, generator.Parameters)], run.Seed + 1);
        judging.Begin([Batch, Code], [Batch], [Batch, 28, 28, 1], [Batch]);
        generating.Begin([Batch, Code], [Batch]);
        var random = new RandomNumbers(run.Seed, 1);
        var code = new float[Batch * Code];
        var wanted = new int[Batch];
        using (ScriptPhase phase = run.Begin("training", steps))
        {
            for (int epoch = 1; epoch <= epochs; epoch++)
            {
                loader.StartEpoch(epoch);
                while (loader.TryNext(out Batch batch))
                {
                    Draw(judging);
                    judging.Write("real", batch.Features);
                    judging.Write("digit", batch.Labels);
                    float loss = judging.Run();
                    Draw(generating);
                    generating.Run();
                    phase.Step(loss);
                }
            }
        }

        using IDisposable averaged = generating.UseAverage();
        run.Keep("generator.safetensors", generator);
        return generator.CreatePredictor(run.Device);

        void Draw(TrainingStep step)
        {
            random.FillNormal(code);
            foreach (ref int digit in wanted.AsSpan())
            {
                digit = random.Below(Classes);
            }

            step.Write("code", code);
            step.Write("wanted", wanted);
        }
    }

    private static (Value Fake, Value Digit) Generate(StepBuilder step, Layer generator)
    {
        Value code = step.Input("code", [Batch, Code]), wanted = step.Input("wanted", [Batch], DType.Int32);
        return (generator.Apply(Operators.Concat(-1, code, wanted.OneHot(Classes))), wanted);
    }

    private static Value[] Judge(Layer discriminator, Value images) => discriminator.Apply(images).Split(-1, 1, Classes);

    /// <summary>As many samples of each digit, judged.</summary>
    private static Verdict Sample(ScriptRun run, Predictor generator, DigitJudge judge)
    {
        var random = new RandomNumbers(run.Seed, 2);
        int[] wanted = [.. Enumerable.Range(0, run.Pick(2000, 500)).Select(i => i % Classes)];
        var codes = new float[wanted.Length * (Code + Classes)];
        for (int i = 0; i < wanted.Length; i++)
        {
            Span<float> row = codes.AsSpan(i * (Code + Classes), Code + Classes);
            random.FillNormal(row[..Code]);
            row[Code + wanted[i]] = 1;
        }

        float[] samples = generator.Predict(codes);
        run.Keep("mnist-gan.png", stream => stream.Write(
            new ImageGrid { Columns = Classes }.Encode(samples.AsSpan(0, 10 * Classes * 28 * 28), [10 * Classes, 28, 28])));
        return judge.Judge(samples, wanted);
    }
}
