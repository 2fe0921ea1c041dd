using FastNN.Cpu;
using FastNN.Graphs;

namespace FastNN.Tests.Graphs;

/// <summary>One arena serves many plans: it grows, moves, is trimmed, and goes back with its last holder.</summary>
internal sealed class ArenaTests : DeviceFixture
{
    [Test]
    public void It_grows_by_need_and_never_shrinks_by_itself()
    {
        using var device = new CpuDevice(1);
        var arena = new Arena(device);
        arena.Require(1000);
        int version = arena.Version;
        arena.Require(500);
        Assert.That((arena.Version, arena.Bytes), Is.EqualTo((version, 1000L)));
        arena.Require(2000);
        Assert.Multiple(() =>
        {
            Assert.That(arena.Version, Is.Not.EqualTo(version));
            Assert.That(device.MemoryUse.LiveBytes, Is.EqualTo(2000), "the old block went back");
            Assert.That(device.MemoryUse.PeakBytes, Is.EqualTo(2000), "it went back before the new one was taken");
        });
        arena.Dispose();
        Assert.That(device.MemoryUse.LiveBlocks, Is.Zero);
    }

    [Test]
    public void It_stays_while_somebody_holds_it()
    {
        using var device = new CpuDevice(1);
        var arena = new Arena(device);
        arena.Require(64);
        arena.Hold();
        arena.Dispose();
        Assert.That(device.MemoryUse.LiveBlocks, Is.EqualTo(1));
        arena.Dispose();
        arena.Dispose();
        Assert.That(device.MemoryUse.LiveBlocks, Is.Zero);
        Assert.That(() => arena.Require(64), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => arena.Hold(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_plan_bound_before_it_moved_refuses_to_run()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(4)), y = (x + x).Sigmoid();
        Plan plan = Compiler.Compile(One, graph, [y]);
        using var store = new ParameterStore(One, []);
        var arena = new Arena(One);
        using (var executor = new Executor(One, plan, store, arena: arena))
        {
            arena.Dispose();
            executor.Forward();
            arena.Require(1 << 20);
            Assert.That(executor.IsBound, Is.False);
            Assert.That(executor.Forward, Throws.InvalidOperationException.With.Message.Contains("moved"));
        }
    }
}
