using FastNN.Graphs;
using FastNN.Training;

namespace FastNN.Tests.Training;

/// <summary>Large batches are computed in slices that fit a cache, where examples do not depend on each other.</summary>
internal sealed class SliceTests
{
    private const int Batch = 1024, Classes = 10;
    private static readonly Shape Example = [28, 28, 1];

    private static IEnumerable<TestCaseData> Kinds()
    {
        yield return Case(
            "convolutions", true,
            () => [new Conv2D(8, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(10)]);
        yield return Case("pooled", true, () => [new Conv2D(8, 3, Activation.Gelu), new GlobalAvgPool2D(), new Dense(10)]);
        yield return Case(
            "a penalty", true, () => [new Flatten(), new Dense(10) { WeightRegularizer = Regularizer.L2(0.01f) }]);
        yield return Case("dropout", true, () => [new Flatten(), new Dropout(0.5f), new Dense(10)]);
        yield return Case("softmax of the last axis", true, () => [new Flatten(), new Softmax(), new Dense(10)]);
        yield return Case(
            "batch normalization", false, () => [new Conv2D(8, 3), new BatchNorm2D(), new Flatten(), new Dense(10)]);
        yield return Case("a sum over the batch", false, () => [new Flatten(), new MeanOfBatch(), new Dense(10)]);
    }

    [TestCaseSource(nameof(Kinds))]
    public void Only_what_treats_examples_alone_is_cut(bool possible, Func<Layer[]> layers)
    {
        var model = new Sequential(layers());
        model.Build(Example);
        StepRecording recording = StepRecording.Of(
            step => TrainingProgram.Record(step, model, Loss.SparseCrossEntropy, Example), GraphMode.Training, 1, _ => true);
        Assert.That(ExampleSlices.ArePossible(recording.Graph, recording.Root), Is.EqualTo(possible));
    }

    [Test]
    public void A_batch_in_slices_gives_the_gradients_losses_and_outputs_of_the_whole()
    {
        (float[] x, int[] labels) = Data(Batch);
        Sequential model = Network(), whole = Network();
        using Device device = Device.Cpu(2), other = Device.Cpu(2);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0.1f));
        using var reference = new Trainer(whole, other, Loss.SparseCrossEntropy, new Sgd(0.1f));
        float loss = trainer.TrainBatch(x, labels);
        float expected = reference.Forward(x, labels);
        float[] outputs = new float[Batch * Classes], wanted = new float[Batch * Classes];
        Assert.That(trainer.ReadOutput(outputs), Is.EqualTo(Batch * Classes));
        Assert.That(reference.ReadOutput(wanted), Is.EqualTo(Batch * Classes));
        reference.Backward();
        Assert.That(loss, Is.EqualTo(expected).Within(1e-5 * expected));
        Near.Check("outputs", outputs, Array.ConvertAll(wanted, value => (double)value), 1e-5);
        foreach ((Parameter parameter, Parameter twin) in model.Parameters.Zip(whole.Parameters))
        {
            float[] actual = new float[parameter.Count], gradient = new float[parameter.Count];
            trainer.ReadGradient(parameter, actual);
            reference.ReadGradient(twin, gradient);
            Near.Check(parameter.Name, actual, Array.ConvertAll(gradient, value => (double)value), 1e-5);
        }

        Assert.That(trainer.StepCount, Is.EqualTo(1));
        Assert.That(device.Memory.PeakBytes, Is.LessThan(reference.PlanMemory(Batch).PeakBytes / 2));
    }

    [Test]
    public void The_bits_do_not_depend_on_threads_and_a_step_allocates_nothing()
    {
        (float[] x, int[] labels) = Data(Batch);
        float[][] weights = new float[2][];
        for (int threads = 1; threads <= 2; threads++)
        {
            Sequential model = Network();
            using var device = Device.Cpu(threads);
            using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam());
            long least = long.MaxValue;
            for (int i = 0; i < 4; i++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                trainer.TrainBatch(x, labels);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.That(least, Is.Zero);
            weights[threads - 1] = model.Parameters.SelectMany(Read).ToArray();
        }

        Near.SameBits(weights[0], weights[1]);
    }

    [Test]
    public void A_label_out_of_range_is_named_by_its_place_in_the_batch_and_changes_nothing()
    {
        (float[] x, int[] labels) = Data(Batch);
        labels[1000] = 12;
        Sequential model = Network();
        using var device = Device.Cpu(1);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam());
        float[] before = Read(model.Parameters[0]);
        Assert.That(
            () => trainer.TrainBatch(x, labels),
            Throws.TypeOf<InvalidDatasetException>().With.Message.Contains("label 12 of example 1000"));
        Near.SameBits(before, Read(model.Parameters[0]));
        labels[1000] = 1;
        Assert.That(trainer.TrainBatch(x, labels), Is.Positive);
        Assert.That(() => trainer.TrainBatch(x, labels.AsSpan(1)), Throws.TypeOf<ShapeException>());
        Assert.That(trainer.StepCount, Is.EqualTo(1));
    }

    [Test]
    public void A_batch_with_ignored_examples_is_computed_as_a_whole()
    {
        (float[] x, int[] labels) = Data(Batch);
        labels.AsSpan(0, 900).Fill(-100);
        Sequential model = Network(), whole = Network();
        using var device = Device.Cpu(1);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0.1f));
        using var reference = new Trainer(whole, device, Loss.SparseCrossEntropy, new Sgd(0.1f));
        Assert.That(trainer.TrainBatch(x, labels), Is.EqualTo(reference.Forward(x, labels)));
    }

    private static Sequential Network()
    {
        var model = new Sequential(
            new Conv2D(16, 3, Activation.ReLU) { WeightRegularizer = Regularizer.L2(0.01f) }, new MaxPool2D(2), new Flatten(),
            new Dense(10));
        model.Build(Example, seed: 3);
        return model;
    }

    private static (float[] X, int[] Labels) Data(int count)
    {
        var random = new Random(1);
        return (
            [.. Enumerable.Range(0, count * (int)Example.Count).Select(_ => random.NextSingle())],
            [.. Enumerable.Range(0, count).Select(_ => random.Next(Classes))]);
    }

    private static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    private static TestCaseData Case(string name, bool possible, Func<Layer[]> layers) =>
        new TestCaseData(possible, layers).SetArgDisplayNames(name);

    private sealed class MeanOfBatch : Layer
    {
        protected override Value Forward(Value x) => x - x.Mean([0], keepDims: true);
    }
}
