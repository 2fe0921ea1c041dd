using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Inference;

/// <summary>A session records once, plans per set of shapes, serves many threads, and keeps its memory bounded.</summary>
internal sealed class SessionTests : TrainingFixture
{
    [Test]
    public void A_graph_with_several_inputs_and_outputs_is_run_by_name()
    {
        var graph = new Graph(GraphMode.Inference);
        Value a = graph.Input([Dim.Batch, 3], name: "a"), b = graph.Input([3], name: "b");
        using Session session = graph.Compile(Device, [("sum", a + b), ("product", a * b)]);
        float[] sum = new float[6], product = new float[6];
        using (SessionRun run = session.Begin([2, 3], [3]))
        {
            run.Write("b", [1f, 2, 3]);
            run.Write("a", [10f, 20, 30, 40, 50, 60]);
            run.Compute();
            run.Read("product", product.AsSpan());
            run.Read("sum", sum.AsSpan());
            Assert.That(run.OutputShape("sum"), Is.EqualTo(new Shape(2, 3)));
        }

        Assert.Multiple(() =>
        {
            Assert.That(sum, Is.EqualTo(new float[] { 11, 22, 33, 41, 52, 63 }));
            Assert.That(product, Is.EqualTo(new float[] { 10, 40, 90, 40, 100, 180 }));
            Assert.That(
                session.Inputs.Select(input => input.ToString()), Is.EqualTo(new[] { "a: Float32[N, 3]", "b: Float32[3]" }));
            Assert.That(session.Outputs.Select(output => output.Name), Is.EqualTo(new[] { "sum", "product" }));
        });
    }

    [Test]
    public void Outputs_may_be_inputs_constants_and_parameters()
    {
        var graph = new Graph(GraphMode.Inference);
        var weight = new Parameter("weight", [2], Initializer.Zeros);
        weight.Write([5, 6]);
        Value x = graph.Input([2]);
        using Session session = graph.Compile(Device, [x, graph.Constant([3f, 4], [2]), graph.Use(weight), x + x]);
        using SessionRun run = session.Begin([2]);
        run.Write(0, [1f, 2]);
        run.Compute();
        var y = new float[2];
        foreach ((int index, float[] expected) in new (int, float[])[] { (0, [1, 2]), (1, [3, 4]), (2, [5, 6]), (3, [2, 4]) })
        {
            run.Read(index, y.AsSpan());
            Assert.That(y, Is.EqualTo(expected), session.Outputs[index].Name);
        }
    }

    [Test]
    public void One_recording_gives_the_same_bits_as_a_recording_for_each_batch_size()
    {
        Network network = Networks.All.First(candidate => candidate.Name == "mnist-cnn-small");
        Sequential model = network.Build();
        using Session session = model.CreateSession(Device);
        foreach (int batch in new[] { 1, 3, 17, 33 })
        {
            var x = new float[batch * 784];
            Philox.FillUniform(x, 1, (uint)batch);
            float[] y = new float[batch * 10], expected = new float[batch * 10];
            session.Run(x, y);
            var graph = new Graph(GraphMode.Inference);
            Value output = model.Apply(graph.Input(network.Example.Prepend(batch)));
            using Session numbers = graph.Compile(Device, [output]);
            numbers.Run(x, expected);
            Near.SameBits(expected, y);
        }
    }

    [Test]
    public void All_batch_sizes_of_a_network_keep_memory_bounded()
    {
        Network network = Networks.All.First(candidate => candidate.Name == "mnist-cnn");
        Sequential model = network.Build();
        using Predictor predictor = model.CreatePredictor(Device);
        long parameters = Device.Memory.LiveBytes;
        var x = new float[256 * 784];
        Philox.FillUniform(x, 1, 1);
        var y = new float[256 * 10];
        predictor.Predict(x, y);
        long largest = Device.Memory.LiveBytes;
        for (int batch = 1; batch <= 256; batch++)
        {
            predictor.Predict(x.AsSpan(0, batch * 784), y.AsSpan(0, batch * 10));
            Assert.That(Device.Memory.LiveBytes, Is.LessThanOrEqualTo(largest), $"after {batch} examples");
        }

        Device.Trim();
        Assert.That(Device.Memory.LiveBytes, Is.EqualTo(parameters), "only the parameters stay");
        Assert.That(() => predictor.Predict(x.AsSpan(0, 784), y.AsSpan(0, 10)), Throws.Nothing);
    }

    [Test]
    public void Concurrent_callers_take_no_more_memory_than_the_session_allows()
    {
        using Session session = Toy.Built().CreateSession(Device, new SessionOptions { MaxConcurrency = 2 });
        var x = new float[2 * 512];
        long before = Device.Memory.LiveBytes;
        session.Run(x, new float[Toy.Classes * 512]);
        long arena = Device.Memory.LiveBytes - before;
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            int batch = 1 + (i % 512);
            session.Run(x.AsSpan(0, 2 * batch), new float[Toy.Classes * batch]);
        });
        Assert.That(Device.Memory.PeakBytes, Is.LessThanOrEqualTo(before + (2 * arena)));
    }

    [Test]
    public void Trimming_a_cpu_gives_back_the_scratch_memory_of_callers_that_have_gone()
    {
        using Session session = Toy.Built().CreateSession(Device, new SessionOptions { MaxConcurrency = 16 });
        session.Run(new float[2], new float[Toy.Classes]);
        Device.Trim();
        long before = HostMemory.LiveBytes;
        Thread[] callers = [.. Enumerable.Range(0, 16).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                session.Run(new float[2 * 64], new float[Toy.Classes * 64]);
            }
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Device.Trim();
        Assert.That(HostMemory.LiveBytes, Is.EqualTo(before));
        session.Run(new float[2], new float[Toy.Classes]);
    }

    [Test]
    public void The_plan_that_was_not_used_for_the_longest_time_goes()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 2]);
        using Session session = graph.Compile(Device, [x.ReLU()], new SessionOptions { MaxPlans = 3 });
        var y = new float[20];
        foreach (int batch in new[] { 1, 2, 3, 1, 4, 1, 5, 1, 6 })
        {
            session.Run(new float[2 * batch], y.AsSpan(0, 2 * batch));
            Assert.That(session.PlanCount, Is.LessThanOrEqualTo(3));
        }

        // Known shapes allocate nothing; the one used between all others is still known.
        var input = new float[2];
        session.Run(input, y.AsSpan(0, 2));
        long before = GC.GetAllocatedBytesForCurrentThread();
        session.Run(input, y.AsSpan(0, 2));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Constants_go_back_with_their_plans()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 2]);
        using Session session = graph.Compile(Device, [x + graph.Constant([1f, 2], [2])], new SessionOptions { MaxPlans = 2 });
        long empty = Device.Memory.LiveBlocks;
        for (int batch = 1; batch <= 8; batch++)
        {
            var y = new float[2 * batch];
            session.Run(new float[2 * batch], y);
            Assert.That(y[^2..], Is.EqualTo(new float[] { 1, 2 }));

            // An arena, and the constants of at most two plans in the cache.
            Assert.That(Device.Memory.LiveBlocks - empty, Is.LessThanOrEqualTo(3));
        }

        session.Trim();
        Assert.That(Device.Memory.LiveBlocks, Is.EqualTo(empty));
    }

    [Test]
    public void A_network_on_large_images_is_recorded_though_its_samples_would_not_fit_a_tensor()
    {
        var model = new Sequential(
            new Conv2D(64, 3, Activation.ReLU) { Padding = Padding2D.Same }, new MaxPool2D(2), new GlobalAvgPool2D(),
            new Dense(2));
        model.Build([2048, 2048, 3]);
        using Session session = model.CreateSession(Device);
        Assert.That(session.Outputs[0].Shape, Is.EqualTo(new Shape(Dim.Batch, 2)));
    }

    [Test]
    public void What_does_not_fit_is_refused_by_name()
    {
        var graph = new Graph(GraphMode.Inference);
        Value a = graph.Input([Dim.Batch, 3], name: "image"), b = graph.Input([Dim.Batch], DType.Int32, "kind");
        using Session session = graph.Compile(Device, [("y", a + a)]);
        _ = b;
        Assert.Multiple(() =>
        {
            Assert.That(
                () => session.Begin([2, 4], [2]).Dispose(), Throws.TypeOf<ShapeException>().With.Message.Contains("'image'"));
            Assert.That(
                () => session.Begin([2, 3], [3]).Dispose(),
                Throws.TypeOf<ShapeException>().With.Message.Contains("N is 2 and 3"));
            Assert.That(
                () => session.Begin([2, 3]).Dispose(), Throws.TypeOf<ShapeException>().With.Message.Contains("2 inputs, got 1"));
            Assert.That(
                () => session.Begin([0, 3], [0]).Dispose(), Throws.TypeOf<ShapeException>().With.Message.Contains("positive"));
            Assert.That(
                () => session.Begin([Dim.Batch, 3], [2]).Dispose(),
                Throws.TypeOf<ShapeException>().With.Message.Contains("positive"));
            Assert.That(
                () => session.Run(new float[3], new float[3]), Throws.InvalidOperationException.With.Message.Contains("Begin"));
            Assert.That(
                () => Use(session, (in SessionRun run) => run.Write("imag", [1f])),
                Throws.ArgumentException.With.Message.Contains("'image', 'kind'"));
            Assert.That(
                () => Use(session, (in SessionRun run) => run.Write("kind", [1f, 2])),
                Throws.ArgumentException.With.Message.Contains("'kind' is Int32"));
            Assert.That(
                () => Use(session, (in SessionRun run) => run.Write("image", [1f, 2])),
                Throws.TypeOf<ShapeException>().With.Message.Contains("6 values"));
            Assert.That(
                () => Use(session, (in SessionRun run) => run.Compute()),
                Throws.InvalidOperationException.With.Message.Contains("'image'"));
            Assert.That(
                () => Use(session, (in SessionRun run) => run.Read("y", new float[6].AsSpan())),
                Throws.InvalidOperationException.With.Message.Contains("before Compute"));
            Assert.That(() => graph.Compile(Device, [("y", a), ("y", a)]), Throws.ArgumentException.With.Message.Contains("'y'"));
            Assert.That(
                () => new Graph(GraphMode.Inference).Compile(Device, [a]),
                Throws.ArgumentException.With.Message.Contains("another graph"));
            Assert.That(() => graph.Input([3], name: "image"), Throws.ArgumentException.With.Message.Contains("'image'"));
        });
    }

    [Test]
    public void A_run_that_was_disposed_cannot_be_used_and_is_given_back_once()
    {
        using Session session = Toy.Built().CreateSession(Device, new SessionOptions { MaxConcurrency = 1 });
        SessionRun first = session.Begin([1, 2]), copy = first;
        first.Dispose();
        using SessionRun second = session.Begin([1, 2]);
        copy.Dispose();
        bool refused = false;
        try
        {
            copy.Write(0, [1f, 2]);
        }
        catch (ObjectDisposedException)
        {
            refused = true;
        }

        second.Write(0, [1f, 2]);
        second.Compute();
        Assert.That(refused);
    }

    private delegate void Body(in SessionRun run);

    private static void Use(Session session, Body body)
    {
        using SessionRun run = session.Begin([2, 3], [2]);
        body(run);
    }
}
