using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Graphs.Checks;
using FastNN.Kernels;
using FastNN.Tensors;
using Buffer = FastNN.Graphs.Buffer;

namespace FastNN.Tests.Graphs;

/// <summary>
/// The debug mode finds what it is there for: each test plants a mistake that would otherwise read or write foreign memory, or
/// compute with numbers that were left behind.
/// </summary>
internal sealed class DebugChecksTests : DeviceFixture
{
    [SetUp]
    public void OnlyWithChecks()
    {
        if (!DebugChecks.Enabled)
        {
            Assert.Ignore($"{DebugChecks.Variable} is 0");
        }
    }

    [Test]
    public void A_tensor_beyond_the_end_of_its_block_is_named_with_its_range()
    {
        using var block = new DeviceBlock(One, 256);
        var tensor = new Tensor(block.Address + 192, DType.Float32, new Shape(5, 4));
        Assert.That(
            () => TensorAccess.Require(One, "Probe", new Tensor(block.Address, DType.Float32, new Shape(64)), tensor),
            Throws.InvalidOperationException.With.Message.EqualTo(
                $"FASTNN_CHECKS: Probe: tensor 1, Float32[5, 4] at 0x{tensor.Address:x} to 0x{tensor.Address + 80:x}, lies in no live block of cpu; " +
                $"the nearest live block is 0x{block.Address:x} to 0x{block.Address + 256:x}, 256 bytes."));
    }

    [Test]
    public void An_address_between_elements_is_refused()
    {
        using var block = new DeviceBlock(One, 256);
        Assert.That(
            () => TensorAccess.Require(One, "Probe", new Tensor(block.Address + 2, DType.Float32, new Shape(4))),
            Throws.InvalidOperationException.With.Message.Contains("is not aligned to its elements of 4 bytes"));
    }

    [Test]
    public void A_block_of_another_device_is_no_block_of_this_one()
    {
        using var block = new DeviceBlock(Two, 256);
        Assert.That(
            () => TensorAccess.Require(One, "Probe", new Tensor(block.Address, DType.Float32, new Shape(4))),
            Throws.InvalidOperationException.With.Message.Contains("no live block"));
    }

    [Test]
    public void A_freed_parameter_block_is_refused_with_the_operator_that_reads_it()
    {
        Plan plan = Chain(out Parameter weight);
        weight.Write([1, 2, 3, 4]);
        var store = new ParameterStore(One, [weight]);
        using var executor = new Executor(One, plan, store);
        executor.Forward();
        store.Dispose();
        Assert.That(
            executor.Forward,
            Throws.InvalidOperationException.With.Message.Matches(
                @"Add forward \(node \d\): input 1, Float32\[4\] at 0x[0-9a-f]+ to .* no live block of cpu"));
    }

    [Test]
    public void A_place_outside_of_the_arena_is_refused()
    {
        Plan plan = Chain(out Parameter weight);
        plan.Buffers[^1].Offset = plan.PeakBytes;
        using var store = new ParameterStore(One, [weight]);
        using var executor = new Executor(One, plan, store);
        Assert.That(executor.Forward, Throws.InvalidOperationException.With.Message.Contains("lies in no live block"));
    }

    [Test]
    public void A_lifetime_that_ends_before_the_last_reader_is_refused()
    {
        Plan plan = Chain(out Parameter weight);
        Buffer input = plan.Buffers.Single(buffer => buffer.Name == "input");
        input.Last = 0;
        using var store = new ParameterStore(One, [weight]);
        Assert.That(
            () => new Executor(One, plan, store),
            Throws.InvalidOperationException.With.Message.Contains("its buffer 'input' lives in steps 0 to 0"));
    }

    [Test]
    public void Buffers_in_one_place_at_one_time_are_refused()
    {
        Buffer[] buffers = [
            Placed("a", 100, 0, 3, 0), Placed("b", 100, 4, 6, 0), Placed("c", 64, 2, 5, 192), Placed("d", 64, 5, 5, 128)];
        PlanCheck.RequireDisjoint(buffers);
        Assert.That(
            () => PlanCheck.RequireDisjoint([.. buffers, Placed("e", 64, 6, 9, 64)]),
            Throws.InvalidOperationException.With.Message.Contains("'b'"));
        Assert.That(
            () => PlanCheck.RequireDisjoint([.. buffers, Placed("f", 65, 3, 3, 128)]),
            Throws.InvalidOperationException.With.Message.Contains("'c'"));
        Assert.That(
            () => PlanCheck.RequireDisjoint([.. buffers, Placed("g", 1, 5, 8, 128)]),
            Throws.InvalidOperationException.With.Message.Contains("'d'"));
    }

    [Test]
    public void What_is_dead_reads_as_nan()
    {
        Plan plan = Chain(out Parameter weight);
        weight.Write([1, 2, 3, 4]);
        Value x = plan.Values.Keys.Single(value => value.Kind == ValueKind.Input);
        using var store = new ParameterStore(One, [weight]);
        store.Take([weight]);
        using var executor = new Executor(One, plan, store);
        One.Upload(MemoryMarshal.AsBytes<float>([1, 1, 1, 1]), executor[x]);
        executor.Forward();
        Value y = plan.Values.Keys.Single(value => value.Kind == ValueKind.Intermediate);
        Assert.That(Read(executor[y]), Is.All.Matches<float>(float.IsFinite));

        // The input's last reader is over, so a second run without writing it anew finds nothing there.
        executor.Forward();
        Assert.That(Read(executor[y]), Is.All.NaN);
    }

    [Test]
    public void Freed_and_fresh_host_memory_holds_nan_and_device_blocks_are_zero()
    {
        unsafe
        {
            float* fresh = (float*)HostMemory.Allocate(64, clear: false);
            Assert.That(fresh[7], Is.NaN);
            HostMemory.Free(fresh);
        }

        using var block = new DeviceBlock(One, 64);
        Assert.That(Read(new Tensor(block.Address, DType.Float32, new Shape(16))), Is.All.Zero);
    }

    [Test]
    public void Checks_allocate_nothing_in_a_run()
    {
        Plan plan = Chain(out Parameter weight);
        using var store = new ParameterStore(One, [weight]);
        using var executor = new Executor(One, plan, store);
        executor.Forward();
        executor.Forward();
        long before = GC.GetAllocatedBytesForCurrentThread();
        executor.Forward();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static Buffer Placed(string name, long bytes, int first, int last, long offset) =>
        new(name, bytes, first, last) { Offset = offset };

    /// <summary>y = softmax(x + w) + x, three nodes, none in place of the input.</summary>
    private Plan Chain(out Parameter weight)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(4));
        weight = new Parameter("w", new Shape(4), Initializer.Zeros);
        return Compiler.Compile(One, graph, [(x + graph.Use(weight)).Softmax() + x]);
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        One.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
