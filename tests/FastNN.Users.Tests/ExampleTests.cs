using FastNN.Data;

namespace FastNN.Users.Tests;

/// <summary>The examples of docs/using-fastnn.md, as the page shows them, and what they must give.</summary>
internal sealed class ExampleTests(string kind) : UserFixture(kind)
{
    private string _folder = null!;

    [OneTimeSetUp]
    public void RegisterLayers()
    {
        LayerKinds.Register("Scale", description => new Scale(description.Single("start")) { Name = description.Name });
    }

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("fastnn-examples-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_network_is_trained_on_arrays()
    {
        Device device = Device;
        (float[] points, int[] labels) = Rings(240);
        Dataset data = Dataset.FromFloats(points, [2], labels, classes: 2);
        (Dataset train, Dataset test) = data.Split(0.25, seed: 1);

        var model = new Sequential(new Dense(16, Activation.Tanh), new Dense(2));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.02f), seed: 1);
        History history = trainer.Fit(
            train, epochs: 40, batchSize: 16, validation: test, metrics: [Metric.F1],
            callbacks: [new EarlyStopping(patience: 10, restoreBest: true)]);
        Console.WriteLine(history.Epochs[^1]);      // epoch 40: loss ..., F1 ..., validation loss ..., validation F1 ...
        Console.WriteLine(trainer.Evaluate(test));
        Assert.That(trainer.Evaluate(test).Accuracy, Is.GreaterThan(0.9));
    }

    [Test]
    public void A_loss_and_metrics_of_ones_own()
    {
        (float[] x, float[] t) = Line(64);
        Dataset data = Dataset.FromFloats(x, [1], t, [1]);
        Loss logCosh = Loss.From("LogCosh", (output, target) => (output - target).Cosh().Log().Mean());
        Metric bias = Metric.From("Bias", (output, target) => output - target);

        var model = new Sequential(new Dense(1));
        using var trainer = new Trainer(model, Device, logCosh, new Sgd(0.3f), seed: 2);
        History history = trainer.Fit(data, epochs: 60, batchSize: 16, metrics: [bias, new WorstError()]);
        Console.WriteLine(history.Epochs[^1].Metrics["Bias"]);
        Assert.That(history.Epochs[^1].Metrics["Bias"], Is.EqualTo(0).Within(0.05));
        Assert.That(history.Epochs[^1].Metrics["WorstError"], Is.LessThan(history.Epochs[0].Metrics["WorstError"] / 4));
    }

    [Test]
    public void Images_are_augmented_and_mixed_on_the_loaders_threads()
    {
        Device device = Device;
        Dataset train = Crosses(120, 1), test = Crosses(60, 2);
        IBatchTransform augment = new Compose(
            new RandomCrop(12) { Padding = 2 },
            new RandomHorizontalFlip(),
            new RandomApply(new RandomRotation(10) { Resampling = Resampling.Bilinear }, p: 0.5),
            new ColorJitter(brightness: 0.2, contrast: 0.2),
            new RandomErasing(p: 0.25)).Then(new MixUp(alpha: 0.2));

        var model = new Sequential(new Conv2D(8, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(2));
        using var trainer = new Trainer(model, device, Loss.CrossEntropy, new Adam(0.01f), seed: 1);
        trainer.Fit(train.OneHot(), epochs: 10, batchSize: 20, transform: augment, loaderThreads: 2);
        Console.WriteLine(trainer.Evaluate(test.OneHot()));
        Assert.That(trainer.Evaluate(test.OneHot()).Accuracy, Is.GreaterThan(0.9));
    }

    [Test]
    public void An_augmentation_of_ones_own()
    {
        Dataset data = Crosses(8, 1);
        using var loader = new DataLoader(data, 4, transform: new Compose(new SaltAndPepper(0.1), new RandomVerticalFlip()));
        int extremes = 0;
        foreach (Batch batch in loader)
        {
            extremes += batch.Features.Count(0f) + batch.Features.Count(1f);
        }

        Assert.That(extremes, Is.InRange(60, 180), "a tenth of 1152 pixels");
    }

    [Test]
    public void A_layer_of_ones_own_is_saved_with_its_options()
    {
        string path = Path.Combine(_folder, "scaled.safetensors");
        var model = new Sequential(new Dense(2), new Scale(0.5f) { Name = "scale" });
        model.Build([3], seed: 1);
        model.Save(path);
        Model loaded = Model.Load(path);
        Assert.That(ParametersOf(loaded), Is.EqualTo(ParametersOf(model)));
        Assert.That(ParametersOf(loaded)[^1], Is.EqualTo(0.5f));
    }

    [Test]
    public void An_operator_of_ones_own_is_recorded_as_any_other()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 3], name: "x");
        Value y = new ScaledSoftsign(0.75f).Apply(x);
        using Session session = graph.Compile(Device, [y]);
        var scores = new float[3];
        session.Run([-1, 0, 3], scores);
        Assert.That(scores, Is.EqualTo(new[] { -0.375f, 0, 0.5625f }).Within(1e-6f));
    }

    [Test]
    public void Gradients_are_accumulated_clipped_and_scaled()
    {
        Device device = Device;
        (float[] x, float[] t) = Line(64);
        Dataset train = Dataset.FromFloats(x, [1], t, [1]);
        var model = new Sequential(new Dense(8, Activation.Tanh), new Dense(1));
        using var trainer =
            new Trainer(model, device, Loss.MeanSquaredError, new AdamW(0.01f) { ClipNorm = 1 }) { LossScale = 1024 };
        trainer.Fit(train, epochs: 3, batchSize: 8, accumulate: 4);     // an update for every 32 examples
        Assert.That(trainer.StepCount, Is.EqualTo(6));

        trainer.Forward(x.AsSpan(0, 8), t.AsSpan(0, 8));
        trainer.Backward();
        trainer.Forward(x.AsSpan(8, 8), t.AsSpan(8, 8));
        trainer.Backward(accumulate: true);                             // gradients add up until Update
        trainer.ScaleGradients(0.5f);
        trainer.Update();
        Assert.That(trainer.StepCount, Is.EqualTo(7));
    }

    [Test]
    public void Rates_follow_a_schedule_and_groups_have_options_of_their_own()
    {
        var optimizer = new AdamW(weightDecay: 0.05f)
        {
            Schedule = Schedule.Warmup(10).Then(Schedule.Cosine(0.01f, steps: 100)),
            Groups = [new ParameterGroup(parameter => parameter.Name == "bias") { WeightDecay = 0, LearningRateScale = 2 }],
        };
        Console.WriteLine(string.Join(", ", optimizer.Schedule.First(3)));
        Assert.That(optimizer.Schedule.First(12)[9..], Is.EqualTo(new[] { 0.01f, 0.01f, 0.01f }).Within(1e-5f));
        (float[] x, float[] t) = Line(16);
        var model = new Sequential(new Dense(1));
        model.Build([1]);
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, optimizer);
        trainer.TrainBatch(x, t);
        Assert.That(optimizer.LearningRate, Is.EqualTo(0.001f).Within(1e-7f));
    }

    [Test]
    public void A_session_runs_any_length()
    {
        Device device = Device;
        int length = Dim.Named("length");
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, length, 4], name: "x");
        using Session session = graph.Compile(device, [("mean", x.Mean([1])), ("attention", x.MatMul(x.Transpose()).Softmax())]);
        foreach ((int batch, int steps) in ((int, int)[])[(1, 3), (2, 7)])
        {
            using SessionRun run = session.Begin([batch, steps, 4]);
            run.Write<float>("x", new float[batch * steps * 4]);
            run.Compute();
            var attention = new float[run.OutputShape("attention").Count];  // batch * steps * steps
            run.Read<float>("attention", attention);
            Assert.That(attention, Has.Length.EqualTo(batch * steps * steps).And.All.EqualTo(1f / steps).Within(1e-6f));
        }
    }

    [Test]
    public void A_model_is_loaded_without_its_code_and_takes_raw_inputs()
    {
        Device device = Device;
        string path = Path.Combine(_folder, "homes.safetensors");
        using var text = new StringReader(
            "rooms,city,area,price\n3,Paris,70,500\n2,Berlin,90,400\n5,Paris,NA,900\n4,Aachen,80,300\n");
        Dataset homes = CsvDataset.Load(text, new CsvOptions
        {
            Target = CsvTarget.Value,                                   // the last column, a number
            Categories = ["city"],                                      // a column for each city
            Missing = CsvMissing.Mean,
            MissingTexts = ["", "NA"],
        });
        Console.WriteLine(string.Join(", ", homes.FeatureNames));       // rooms, city=Aachen, city=Berlin, city=Paris, area

        Standardizer features = Standardizer.Fit(homes), prices = Standardizer.FitTargets(homes);
        var model = new Sequential(new Dense(8, Activation.ReLU), new Dense(1));
        using (var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Adam(0.05f), seed: 3))
        {
            trainer.Fit(prices.ApplyToTargets(features.Apply(homes)), epochs: 200, batchSize: 4);
        }

        model.Save(
            path, new SaveOptions { Preprocessing = Preprocessing.Standardizing(features.Mean, features.StandardDeviation) });

        using Predictor predictor = Model.Load(path).CreatePredictor(device);
        float[] price = predictor.Predict([3, 0, 0, 1, 70]);            // raw: the file has what standardizes them
        prices.Invert(price);
        Console.WriteLine(price[0]);
        Assert.That(homes.FeatureNames, Is.EqualTo(new[] { "rooms", "city=Aachen", "city=Berlin", "city=Paris", "area" }));
        Assert.That(price[0], Is.EqualTo(500).Within(50));
    }

    [Test]
    public void Weights_alone_go_into_a_network_made_in_code()
    {
        string path = Path.Combine(_folder, "weights.safetensors");
        var model = new Sequential(new Dense(4, Activation.ReLU) { Name = "body" }, new Dense(3) { Name = "head" });
        model.Build([2], seed: 1);
        model.SaveWeights(path);

        var other = new Sequential(new Dense(4, Activation.ReLU) { Name = "trunk" }, new Dense(5) { Name = "out" });
        other.Build([2], seed: 2);
        LoadResult result = other.LoadWeights(path, new LoadOptions
        {
            Strict = false,
            Rename = name => name.Replace("body", "trunk", StringComparison.Ordinal),
        });
        Console.WriteLine(result);                                      // 2 loaded, 2 missing, 2 unexpected, 0 of another shape
        Assert.That(result.ToString(), Is.EqualTo("2 loaded, 2 missing, 2 unexpected, 0 of another shape"));
        Assert.That(ParametersOf(other)[..12], Is.EqualTo(ParametersOf(model)[..12]));
    }

    [Test]
    public void An_interrupted_run_continues_bit_for_bit()
    {
        Device device = Device;
        string path = Path.Combine(_folder, "run.safetensors");
        (float[] x, float[] t) = Line(48);
        Dataset train = Dataset.FromFloats(x, [1], t, [1]);
        Trainer Create()
        {
            var model = new Sequential(new Dense(4, Activation.Tanh), new Dense(1));
            model.Build([1], seed: 5);                                  // a checkpoint is for parameters that exist
            return new Trainer(model, device, Loss.MeanSquaredError, new Adam(0.01f), seed: 5);
        }

        using Trainer first = Create();
        first.Fit(train, epochs: 3, batchSize: 8, callbacks: [new ModelCheckpoint(path, wholeRun: true)]);

        using Trainer second = Create();
        second.LoadCheckpoint(path);
        second.Fit(train, epochs: 6, batchSize: 8);                     // epochs 4 to 6: six in all

        using Trainer whole = Create();
        whole.Fit(train, epochs: 6, batchSize: 8);
        Assert.That(ParametersOf(second.Model), Is.EqualTo(ParametersOf(whole.Model)));
    }

    /// <summary>Points within and around a circle, and which.</summary>
    private static (float[] Points, int[] Labels) Rings(int count)
    {
        var points = new float[2 * count];
        var labels = new int[count];
        for (int i = 0; i < count; i++)
        {
            float radius = i % 2 == 0 ? 0.4f : 1.1f, angle = i * 2.399963f;
            (points[2 * i], points[(2 * i) + 1], labels[i]) = (radius * MathF.Cos(angle), radius * MathF.Sin(angle), i % 2);
        }

        return (points, labels);
    }

    private static (float[] X, float[] T) Line(int count)
    {
        float[] x = Numbers(count, 1);
        return (x, [.. x.Select(value => (2 * value) + 1)]);
    }

    /// <summary>Gray images of a bright bar that lies or stands, and which.</summary>
    private static Dataset Crosses(int count, int seed)
    {
        var random = new Random(seed);
        var pixels = new float[count * 144];
        for (int i = 0; i < pixels.Length; i++)
        {
            (int image, int row, int column) = (i / 144, i / 12 % 12, i % 12);
            bool bright = (image % 2 == 0 ? row : column) == 3 + (image % 6);
            pixels[i] = (bright ? 0.7f : 0.2f) + (0.1f * random.NextSingle());
        }

        return Dataset.FromFloats(pixels, [12, 12, 1], [.. Enumerable.Range(0, count).Select(i => i % 2)], classes: 2);
    }

    /// <summary>The fourth root of the mean fourth power, which a few large errors decide.</summary>
    public sealed class WorstError : Metric
    {
        public override string Name => "WorstError";

        public override Value Record(MetricInputs inputs) => (inputs.Output - inputs.Target).Square();

        public override double Compute(MetricSums sums) => Math.Pow(sums.MeanOfSquares(), 0.25);
    }

    public sealed class SaltAndPepper(double part) : Augmentation
    {
        protected override void Augment(AugmentationImage image)
        {
            for (int at = 0; at < image.Pixels.Length; at += image.Channels)
            {
                if (image.Random.Happens(part))
                {
                    image.Pixels.Slice(at, image.Channels).Fill(image.Random.Below(2));     // black or white
                }
            }
        }
    }

    public sealed class Scale(float start) : Layer
    {
        private Parameter? _factor;

        protected override void Build(Value x) => _factor = AddParameter("factor", [], Initializer.Constant(start));

        protected override Value Forward(Value x) => x * x.Graph.Use(_factor!);

        protected override void Describe(LayerDescription description) => description.Set("start", start);
    }

    public sealed class ScaledSoftsign(float scale) : CustomOperator
    {
        public override string Name => "ScaledSoftsign";

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => inputs is [{ Type: DType.Float32 }]
            ? [inputs[0]]
            : throw new ShapeException($"{Name}: expected one Float32 input, got [{string.Join(", ", inputs.ToArray())}].");

        public override bool BackwardReadsOutput(int output) => false;

        public override bool KeepsFeatures(int input) => true;

        public override void Forward(ForwardPass pass)
        {
            ReadOnlySpan<float> x = pass.Input(0);
            Span<float> y = pass.Output();
            for (int i = 0; i < x.Length; i++)
            {
                y[i] = scale * x[i] / (1 + MathF.Abs(x[i]));
            }
        }

        public override void Backward(BackwardPass pass)
        {
            ReadOnlySpan<float> x = pass.Input(0), dY = pass.OutputGradient();
            Span<float> dX = pass.InputGradient(0);
            for (int i = 0; i < x.Length; i++)
            {
                float d = 1 + MathF.Abs(x[i]);
                dX[i] += scale * dY[i] / (d * d);
            }
        }
    }
}
