namespace FastNN.Onnx.Tests;

/// <summary>Runs into outputs that are there: what they allocate, batches in slices, weights that shapes share.</summary>
public sealed class SessionRunTests
{
    private static OnnxModel Digits()
    {
        var model = new Sequential(
            new Conv2D(32, 3, Activation.ReLU6), new MaxPool2D(2), new Conv2D(64, 3, Activation.SiLU), new Flatten(),
            new Dense(10));
        model.Build(new Shape(28, 28, 1), seed: 3);
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        return OnnxModel.Load(stream.ToArray(), "digits");
    }

    [Test]
    public void A_batch_in_slices_gives_each_examples_answer_and_the_same_bits_for_any_number_of_threads()
    {
        const int batch = 64;
        using OnnxModel model = Digits();
        OnnxTensor all = Build.Random(1, batch, 1, 28, 28);
        float[]? first = null;
        foreach (int threads in new[] { 1, 2, 3 })
        {
            using var device = Device.Cpu(threads);
            using OnnxSession session = model.Compile(device);
            OnnxTensor[] outputs = session.CreateOutputs(all);
            session.Run([all], outputs);
            float[] got = outputs[0].Floats();
            Assert.That(got, Is.EqualTo(first ??= got), $"{threads} threads");
            OnnxTensor[] alone = session.CreateOutputs(Example(all, 0));
            for (int i = 0; i < batch; i += 13)
            {
                session.Run([Example(all, i)], alone);
                float[] wanted = alone[0].Floats();
                double within = 1e-5 * wanted.Max(Math.Abs);
                Assert.That(got[(10 * i)..(10 * (i + 1))], Is.EqualTo(wanted).Within(within), $"example {i}");
            }
        }
    }

    [TestCase(1)]
    [TestCase(64)]
    public void A_run_into_given_outputs_allocates_nothing(int batch)
    {
        using OnnxModel model = Digits();
        using var device = Device.Cpu(2);
        using OnnxSession session = model.Compile(device);
        OnnxTensor[] inputs = [Build.Random(2, batch, 1, 28, 28)], outputs = session.CreateOutputs(inputs);
        Assert.That(Build.AllocatedBy(() => session.Run(inputs, outputs)), Is.Zero);
    }

    [Test]
    public void Recurrences_step_by_step_allocate_nothing()
    {
        (byte[] file, Func<int, OnnxTensor[]> inputsOf) = Cuda.CudaNetworkTable.StepByStep().Write();
        using OnnxModel model = OnnxModel.Load(file);
        using var device = Device.Cpu(2);
        using OnnxSession session = model.Compile(device);
        OnnxTensor[] inputs = inputsOf(3), outputs = session.CreateOutputs(inputs);
        Assert.That(session.HostReason(inputs), Is.Null);
        Assert.That(Build.AllocatedBy(() => session.Run(inputs, outputs)), Is.Zero);
    }

    /// <summary>Large inputs are read where they lie: each run must read its own, and write none.</summary>
    [Test]
    public void Large_inputs_stay_as_they_are_and_each_run_reads_its_own()
    {
        using OnnxModel model = Build.Model(
                17, Build.Node("Reshape", "x s", "rows"), Build.Node("Relu", "rows", "y"), Build.Node("Add", "x x", "z"),
                Build.Node("Identity", "x", "same"))
            .With(["x"], ["y", "z", "same"]).With(Build.Tensor("s", [2048L, 4L], 2)).Load();
        using var device = Device.Cpu(2);
        using OnnxSession session = model.Compile(device);
        OnnxTensor[] outputs = session.CreateOutputs(Build.Random(1, 4, 2048));
        foreach (int seed in new[] { 1, 2, 1 })
        {
            OnnxTensor x = Build.Random(seed, 4, 2048);
            float[] before = x.Floats();
            session.Run([x], outputs);
            Assert.That(x.Floats(), Is.EqualTo(before));
            Assert.That(outputs[0].Floats(), Is.EqualTo(before.Select(value => Math.Max(0, value))));
            Assert.That(outputs[1].Floats(), Is.EqualTo(before.Select(value => value + value)));
            Assert.That(outputs[2].Floats(), Is.EqualTo(before));
            Assert.That(outputs[0].Dimensions.ToArray(), Is.EqualTo(new[] { 2048, 4 }));
        }
    }

    /// <summary>Inputs come and go while the collector moves what it may: on several threads, slices of one array.</summary>
    [Test]
    public void Inputs_are_not_moved_while_they_are_read()
    {
        using OnnxModel model = Digits();
        using var device = Device.Cpu(3);
        using OnnxSession session = model.Compile(device);
        OnnxTensor x = Build.Random(7, 64, 1, 28, 28);
        OnnxTensor[] outputs = session.CreateOutputs(x);
        session.Run([x], outputs);
        float[] expected = outputs[0].Floats();
        using var stop = new CancellationTokenSource();
        Task collector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
            }
        });
        for (int i = 0; i < 50; i++)
        {
            OnnxTensor moved = Build.Random(7, 64, 1, 28, 28);
            session.Run([moved], outputs);
            Assert.That(outputs[0].Floats(), Is.EqualTo(expected));
        }

        stop.Cancel();
        collector.Wait();
    }

    [Test]
    public void Outputs_that_do_not_fit_are_refused_with_both_signatures()
    {
        using OnnxModel model = Digits();
        using var device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        OnnxTensor x = Build.Random(2, 2, 1, 28, 28);
        Assert.That(
            () => session.Run([x], [OnnxTensor.Create(new float[10], 1, 10)]),
            Throws.TypeOf<OnnxException>().With.Message.Contains("FLOAT[2, 10], got").And.Message.Contains("FLOAT[1, 10]"));
        Assert.That(
            () => session.Run([x, x], []),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected 1 inputs").And.Message.Contains("got 2"));
    }

    [Test]
    public void Recordings_for_several_shapes_share_the_weights()
    {
        var layers = new Sequential(new Dense(1024), new Dense(1024));
        layers.Build(new Shape(1024), seed: 1);
        using var stream = new MemoryStream();
        layers.ExportOnnx(stream);
        using OnnxModel model = OnnxModel.Load(stream.ToArray(), "wide");
        using var device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        long Bytes(int batch)
        {
            OnnxTensor x = Build.Random(batch, batch, 1024);
            session.Run([x], session.CreateOutputs(x));
            return device.Memory.LiveBytes;
        }

        long one = Bytes(1);
        Assert.That(one, Is.GreaterThan(8 << 20), "two weights of 4 MiB");
        Assert.That(Bytes(3) + Bytes(5) - (2 * one), Is.LessThan(1 << 20));
        session.Trim();
        Assert.That(device.Memory.LiveBytes, Is.LessThan(1 << 20), "nothing is kept behind Trim");
    }

    private static OnnxTensor Example(OnnxTensor all, int index)
    {
        int size = all.Count / all.Dimensions[0];
        return OnnxTensor.Create(all.Values<float>().Slice(index * size, size).ToArray(), 1, 1, 28, 28);
    }
}
