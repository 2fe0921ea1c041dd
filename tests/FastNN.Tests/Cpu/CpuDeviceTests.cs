using FastNN.Cpu;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>
/// The device itself, memory kernels, and what holds for every kernel: no allocation, the same bits for any threads.
/// </summary>
public sealed class CpuDeviceTests
{
    private static readonly int[] Counts = [5, 129, 70001];

    [Test]
    public void Memory_is_counted()
    {
        using var device = new CpuDevice(1);
        nint first = device.Allocate(1000), second = device.Allocate(24);
        device.Free(first);
        Assert.That(
            device.MemoryUse,
            Is.EqualTo(new DeviceMemory { LiveBytes = 24, CachedBytes = 0, PeakBytes = 1024, LiveBlocks = 1, Allocations = 2 }));
        device.Free(second);
        device.Trim();
        Assert.That((device.MemoryUse.LiveBytes, device.MemoryUse.LiveBlocks), Is.EqualTo((0L, 0)));
    }

    [Test]
    public void Threads_out_of_range_are_refused([Values(-1, 129, 1025)] int threads) =>
        Assert.That(() => new CpuDevice(threads), Throws.TypeOf<DeviceException>().With.Message.Contains($"{threads}"));

    [Test]
    public void It_describes_itself()
    {
        using var device = new CpuDevice(0);
        Assert.That(device.Kind, Is.EqualTo("cpu"));
        Assert.That(device.Threads, Is.EqualTo(Math.Min(Environment.ProcessorCount, CpuDevice.MaxThreads)));
        Assert.That(device.Description, Does.StartWith("CPU, ").And.Contain($"{device.Threads} thread"));
    }

    [Test]
    public void Memory_that_is_not_to_be_had_is_named()
    {
        using var device = new CpuDevice(1);
        Assert.That(() => device.Allocate(1L << 60), Throws.TypeOf<DeviceException>().With.Message.Contains($"{1L << 60} bytes"));
    }

    [Test]
    public unsafe void Memory_comes_zeroed_and_aligned()
    {
        using var device = new CpuDevice(1);
        nint block = device.Allocate(1000);
        Assert.That((long)block % 64, Is.Zero);
        Assert.That(new Span<byte>((void*)block, 1000).ToArray(), Has.All.Zero);
        device.Free(block);
    }

    [Test]
    public void Nothing_runs_after_dispose()
    {
        var device = new CpuDevice(1);
        nint block = device.Allocate(4);
        var tensor = new Tensor(block, DType.Float32, new Shape(1));
        device.Dispose();
        device.Dispose();
        Assert.That(() => device.Allocate(4), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Memory.Fill(tensor, 1), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Upload([1, 2, 3, 4], tensor), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => device.Download(tensor, new byte[4]), Throws.TypeOf<ObjectDisposedException>());
        device.Free(block);
    }

    [Test]
    public void Copies_check_lengths_and_come_back()
    {
        using var scope = new DeviceScope();
        Tensor x = scope.Zeros(2);
        scope.Device.Upload([1, 2, 3, 4, 5, 6, 7, 8], x);
        var bytes = new byte[5];
        scope.Device.Download(x, bytes);
        Assert.That(bytes, Is.EqualTo(new byte[] { 1, 2, 3, 4, 5 }));
        Assert.That(() => scope.Device.Upload(new byte[7], x), Throws.TypeOf<ShapeException>());
        Assert.That(() => scope.Device.Download(x, new byte[9]), Throws.TypeOf<ShapeException>());
    }

    [Test]
    public void Fill_and_copy([ValueSource(typeof(DeviceScope), nameof(DeviceScope.Sizes))] int size)
    {
        using var scope = new DeviceScope();
        double[] values = DeviceScope.Random(size, 1);
        Tensor x = scope.Floats(values), y = scope.Zeros(size);
        scope.Device.Memory.Fill(y, 2);
        scope.Device.Memory.Copy(x, y, accumulate: true);
        DeviceScope.AssertNear(y, [.. values.Select(v => v + 2)], 1);
        scope.Device.Memory.Copy(x, y, accumulate: false);
        Assert.That(DeviceScope.Read(y), Is.EqualTo(DeviceScope.Read(x)));
    }

    [Test]
    public void Concat([Values(1, 33, 5000)] int rows, [Values(1, 7, 31)] int width)
    {
        using var scope = new DeviceScope();
        int[] widths = [3, width, 2];
        int total = widths.Sum();
        double[][] x = [.. widths.Select((columns, i) => DeviceScope.Random(rows * columns, i))];
        double[] y = new double[rows * total], part = new double[rows * width];
        Tensor[] inputs = Array.ConvertAll(x, values => scope.Floats(values));
        Tensor output = scope.Zeros(rows * total), gradient = scope.Floats(x[1]);
        for (int i = 0, offset = 0; i < widths.Length; offset += widths[i++])
        {
            ConcatReference.Forward(x[i], y, rows, widths[i], total, offset);
        }

        scope.Device.Indexing.ConcatForward(inputs, widths, output, rows);
        DeviceScope.AssertNear(output, y, 0);
        ConcatReference.Backward(y, part, rows, width, total, 3);
        scope.Device.Indexing.ConcatBackward(output, [null, gradient, null], widths, rows, [false, true, false]);
        DeviceScope.AssertNear(gradient, [.. part.Zip(x[1], (a, b) => a + b)], 1);
        scope.Device.Indexing.ConcatBackward(output, [null, gradient, null], widths, rows, [false, false, false]);
        DeviceScope.AssertNear(gradient, part, 0);
    }

    [Test]
    public void Any_number_of_threads_gives_the_same_bits([ValueSource(nameof(Counts))] int count)
    {
        float[][] one = Results(1);
        Near.SameBits(one, Results(2));
        Near.SameBits(one, Results(3));

        float[][] Results(int threads)
        {
            using var scope = new DeviceScope(threads);
            var work = new EveryKernel(scope, count);
            work.Run();
            return [.. work.Outputs.Select(DeviceScope.Read)];
        }
    }

    [Test]
    public void No_kernel_allocates([Values(1, 2)] int threads, [ValueSource(nameof(Counts))] int count)
    {
        using var scope = new DeviceScope(threads);
        var work = new EveryKernel(scope, count);
        for (int i = 0; i < 3; i++)
        {
            work.Run();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        work.Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    /// <summary>Each kernel once or more, each with an output of its own.</summary>
    private sealed class EveryKernel
    {
        private static readonly Activation[] Activations =
        [
            Activation.ReLU, Activation.LeakyReLU(0.1f), Activation.Sigmoid, Activation.Tanh, Activation.Gelu,
            Activation.GeluTanh,
        ];

        private readonly CpuDevice _device;
        private readonly int _count;
        private readonly Tensor _x, _t, _row, _column, _step, _scalars, _indices, _one, _saved, _weights;
        private readonly (LossFunction Loss, Scalars Scalars)[] _losses = [
            .. FunctionTable.Losses.Select(loss => (loss, loss.Info.Defaults))];

        private readonly (UpdateFunction Update, Tensor[] States)[] _updates =
            [.. FunctionTable.Updates.Select(update => (update, new Tensor[update.Info.States.Length]))];

        private int _next;

        public EveryKernel(DeviceScope scope, int count)
        {
            _device = scope.Device;
            _count = count;
            _x = scope.Floats(DeviceScope.Random(count * 3, 1, 2), count, 3);
            _t = scope.Floats([.. DeviceScope.Random(count * 3, 2, 0.5).Select(v => v + 0.5)], count, 3);
            _row = scope.Floats(DeviceScope.Random(3, 3));
            _column = scope.Floats(DeviceScope.Random(count, 4), count, 1);
            _step = scope.Ints([1, 0]);
            _scalars = scope.Floats([0.1, -0.1, 0.5, 0.5, 0.25, 0.5, 0.5, 0]);
            _indices = scope.Ints([.. Enumerable.Range(0, count).Select(i => i % 3)]);
            _one = scope.Scalar(1);
            _saved = scope.Zeros((count * 4) + 1);
            _weights = scope.Floats([0.5, 1, 2]);
            for (int i = 0; i < 480; i++)
            {
                Outputs.Add(scope.Zeros(count, 3));
                Outputs.Add(scope.Zeros(i % 4 == 0 ? [1] : i % 4 == 1 ? [3] : i % 4 == 2 ? [count, 1] : [count]));
            }
        }

        private static readonly BinaryFunction[] Pairs = [
            .. FunctionTable.Binary.Where(row => row.Info.Takes(OperandTypes.Floats) && !row.Info.GivesTruth)];

        public List<Tensor> Outputs { get; } = [];

        public void Run()
        {
            _next = 0;
            foreach (Activation activation in Activations)
            {
                _device.Elements.ActivationForward(activation, _x, Whole());
                _device.Elements.ActivationBackward(activation, _x, _t, Whole(), accumulate: activation.Id > 3);
            }

            foreach (BinaryFunction op in Pairs)
            {
                _device.Elements.BinaryForward(op, _x, _t, Whole());
                _device.Elements.BinaryForward(op, _x, _row, Whole());
                _device.Elements.BinaryForward(op, _column, _x, Whole());
                _device.Elements.BinaryForward(op, _x, _one, Whole());
                _device.Elements.BinaryBackward(op, 0, _x, _t, _x, _x, Whole(), accumulate: false);
                _device.Elements.BinaryBackward(op, 1, _x, _t, _x, _x, Whole(), accumulate: false);
                if (op.Info.First.Form == GradientForm.Text)
                {
                    continue;
                }

                _device.Elements.BinaryBackward(op, 0, _one, _t, _x, _x, Part(0), accumulate: false);
                _device.Elements.BinaryBackward(op, 0, _row, _t, _x, _x, Part(1), accumulate: true);
                _device.Elements.BinaryBackward(op, 0, _column, _row, _x, _x, Part(2), accumulate: false);
            }

            for (Reduction reduction = Reduction.Mean; reduction <= Reduction.None; reduction++)
            {
                bool single = reduction != Reduction.None;
                long? divisor = reduction switch { Reduction.None => null, Reduction.Mean => _x.Count, _ => 1 };
                foreach ((LossFunction loss, Scalars scalars) in _losses)
                {
                    _device.Losses.ElementLossForward(loss, scalars, divisor, _x, _t, _t, _weights, single ? Part(0) : Whole());
                    _device.Losses.ElementLossBackward(
                        loss, scalars, divisor, _x, _t, null, _weights, single ? _one : _t, Whole(), accumulate: false);
                }

                for (CrossEntropyInput input = CrossEntropyInput.Logits; input <= CrossEntropyInput.Probabilities; input++)
                {
                    var options = new CrossEntropyOptions(input, reduction);
                    _device.Losses.CrossEntropyForward(options, _x, _indices, _weights, single ? Part(0) : Part(3), _saved);
                    _device.Losses.CrossEntropyBackward(
                        options, _x, _indices, _weights, _saved, single ? _one : _column, Whole(), accumulate: false);
                    _device.Losses.CrossEntropyForward(options, _t, _t, null, single ? Part(0) : Part(3), _saved);
                    _device.Losses.CrossEntropyBackward(
                        options, _t, _t, null, _saved, single ? _one : _column, Whole(), accumulate: true);
                }
            }

            Rest();
        }

        private void Rest()
        {
            for (int logarithm = 0; logarithm < 2; logarithm++)
            {
                _device.Normalizations.SoftmaxForward(_x, Whole(), _count, 3, 1, logarithm == 1);
                _device.Normalizations.SoftmaxForward(_x, Whole(), 1, 3, _count, logarithm == 1);
                _device.Normalizations.SoftmaxBackward(_t, _x, Whole(), 1, _count, 3, logarithm == 1, accumulate: true);
                _device.Normalizations.SoftmaxBackward(_t, _x, Whole(), 1, _count * 3, 1, logarithm == 1, accumulate: false);
            }

            _device.Elements.DropoutForward(new DropoutOptions(0.3f, 1, 2), _step, _x, Whole());
            _device.Reductions.PenaltyForward(_x, 0.1f, 0.2f, Part(0));
            _device.Reductions.PenaltyBackward(_x, 0.1f, 0.2f, _one, Whole(), accumulate: false);
            foreach ((UpdateFunction update, Tensor[] states) in _updates)
            {
                for (int i = 0; i < states.Length; i++)
                {
                    states[i] = Whole();
                }

                _device.Updates.Update(update, _scalars, Whole(), _x, states);
            }

            _device.Memory.Fill(Whole(), 3);
            _device.Memory.Copy(_x, Whole(), accumulate: false);
            _device.Indexing.ConcatForward([_column, _column, _column], [1, 1, 1], Whole(), _count);
            _device.Indexing.ConcatBackward(_x, [null, Part(2), null], [1, 1, 1], _count, [false, true, false]);
        }

        private Tensor Whole() => Outputs[2 * _next++];

        private Tensor Part(int kind)
        {
            while (_next % 4 != kind)
            {
                _next++;
            }

            return Outputs[(2 * _next++) + 1];
        }
    }

    [Test]
    public void A_device_that_was_refused_is_collected_without_a_trace()
    {
        Refuse();

        // An exception in a finalizer ends the process.
        GC.Collect();
        GC.WaitForPendingFinalizers();

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Refuse() => Assert.That(() => new CpuDevice(-1), Throws.TypeOf<DeviceException>());
    }
}
