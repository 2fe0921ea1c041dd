using FastNN.Data;
using FastNN.Testing;

namespace FastNN.Users.Tests;

internal sealed class ExtensionTests(string kind) : UserFixture(kind)
{
    [Test]
    public void A_layer_loss_metric_schedule_callback_and_dataset_of_ones_own_train_together()
    {
        var model = new Sequential(new Gated(8) { Name = "gated" }, new Dense(1) { Name = "out" });
        Loss loss = Loss.From("LogCosh", (output, target) =>
        {
            Value error = output - target;
            return (error + (-2 * error).Softplus() - MathF.Log(2)).Mean();
        });
        var optimizer = new Adam { Schedule = new Halving(0.02f, every: 200) };
        using var trainer = new Trainer(model, Device, loss, optimizer, seed: 4);
        var counter = new Counter();
        Dataset train = Dataset.FromSource(new Waves(120)), test = Dataset.FromSource(new Waves(30));
        History history = trainer.Fit(
            train, epochs: 24, batchSize: 16, validation: test, callbacks: [counter],
            metrics: [new Worst(), Metric.R2, Metric.MeanAbsoluteError]);
        EpochResult last = history.Epochs[^1];
        Assert.Multiple(() =>
        {
            Assert.That(counter.Batches, Is.EqualTo(24 * 8));
            Assert.That(last.Loss, Is.LessThan(history.Epochs[0].Loss / 4));
            Assert.That(last.ValidationMetrics["R2"], Is.GreaterThan(0.8).And.LessThan(1));
            Assert.That(last.ValidationMetrics["MeanAbsoluteError"], Is.LessThan(last.ValidationMetrics["Worst"]));
            Assert.That(optimizer.LearningRate, Is.EqualTo(0.02f));
            Assert.That(trainer.Evaluate(test, metrics: [Metric.R2]).Metrics["R2"], Is.EqualTo(last.ValidationMetrics["R2"]));
        });
    }

    /// <param name="withKernels">Whether the operator brings PTX of its own for GPUs, rather than computing on the host.</param>
    [Test]
    public void An_operator_of_ones_own_has_gradients_and_trains([Values] bool withKernels)
    {
        var model = new Sequential(new Dense(3) { Name = "in" }, new SoftsignLayer(withKernels), new Dense(1) { Name = "out" });
        model.Build(new Shape(2), 3);
        using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, new Sgd(0.1f));
        float[] x = Numbers(8, 5), t = Numbers(4, 6), gradient = new float[8], unused = new float[8];
        float first = trainer.InputGradient(x, t, gradient);
        for (int i = 0; i < x.Length; i++)
        {
            float[] more = [.. x], less = [.. x];
            more[i] += 1e-2f;
            less[i] -= 1e-2f;
            double difference = ((double)trainer.InputGradient(more, t, unused) - trainer.InputGradient(less, t, unused)) / 2e-2;
            Assert.That(gradient[i], Is.EqualTo(difference).Within(2e-3), $"input {i}");
        }

        for (int i = 0; i < 20; i++)
        {
            trainer.TrainBatch(x, t);
        }

        Assert.That(trainer.TrainBatch(x, t), Is.LessThan(first));
    }

    /// <summary>tanh(x W) * sigmoid(x V).</summary>
    private sealed class Gated(int units) : Layer
    {
        private Parameter? _value;
        private Parameter? _gate;

        protected override void Build(Value x)
        {
            _value = AddParameter("value", [x.Shape[-1], units], Initializer.Normal(0, 0.5f));
            _gate = AddParameter("gate", [x.Shape[-1], units], Initializer.Normal(0, 0.5f));
        }

        protected override Value Forward(Value x) =>
            x.MatMul(x.Graph.Use(_value!)).Tanh() * x.MatMul(x.Graph.Use(_gate!)).Sigmoid();
    }

    /// <summary>Half the rate after so many updates.</summary>
    private sealed class Halving(float rate, long every) : Schedule
    {
        public override float At(long step) => rate / MathF.Pow(2, step / every);
    }

    private sealed class Counter : Callback
    {
        public int Batches { get; private set; }

        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => Batches++;
    }

    /// <summary>The root of the mean fourth power of errors, which is far from zero where a few are large.</summary>
    private sealed class Worst : Metric
    {
        public override string Name => "Worst";

        public override Value Record(MetricInputs inputs) => (inputs.Output - inputs.Target).Square();

        public override double Compute(MetricSums sums) => Math.Pow(sums.MeanOfSquares(), 0.25);
    }

    /// <summary>A sine of two numbers, computed when it is asked for.</summary>
    private sealed class Waves(int count) : IExampleSource
    {
        public int Count => count;

        public Shape ExampleShape => [2];

        public int Classes => 0;

        public Shape TargetShape => [1];

        public void Read(int index, Span<float> features, Span<float> target)
        {
            Numbers(2, index).CopyTo(features);
            target[0] = MathF.Sin(features[0] + (2 * features[1]));
        }
    }

    private sealed class SoftsignLayer(bool withKernels) : Layer
    {
        protected override Value Forward(Value x) => new ScaledSoftsign(1.5f, withKernels).Apply(x);
    }
}
