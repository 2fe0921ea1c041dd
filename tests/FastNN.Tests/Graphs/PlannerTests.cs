using FastNN.Cpu;
using FastNN.Graphs;
using FastNN.Training;
using FsCheck;
using FsCheck.Fluent;
using Buffer = FastNN.Graphs.Buffer;
using Property = FastNN.Testing.Property;

namespace FastNN.Tests.Graphs;

/// <summary>Where buffers are put: nothing alive at one time overlaps, and little is wasted.</summary>
internal sealed class PlannerTests
{
    [Test]
    public void Buffers_alive_at_one_time_do_not_overlap() => Check(buffers =>
    {
        (long peak, long lowerBound) = Planner.Assign(buffers);
        PlanChecks.RequireDisjoint(buffers);
        Assert.That(peak, Is.GreaterThanOrEqualTo(lowerBound));
        Assert.That(
            peak, Is.EqualTo(buffers.Length == 0 ? 0 : buffers.Max(buffer => buffer.Offset + Planner.Align(buffer.Bytes))));
    });

    [Test]
    public void The_lower_bound_is_the_largest_sum_alive_at_one_step() => Check(buffers =>
    {
        (_, long lowerBound) = Planner.Assign(buffers);
        long most = 0;
        for (int step = 0; step <= 64; step++)
        {
            most = Math.Max(
                most,
                buffers.Where(buffer => buffer.First <= step && step <= buffer.Last).Sum(buffer => Planner.Align(buffer.Bytes)));
        }

        Assert.That(lowerBound, Is.EqualTo(most));
    });

    [Test]
    public void Buffers_that_never_meet_share_their_place()
    {
        Buffer[] buffers = [new("a", 1000, 0, 1), new("b", 900, 2, 3), new("c", 1024, 4, 5)];
        Assert.That(Planner.Assign(buffers), Is.EqualTo((1024L, 1024L)));
        Assert.That(buffers.Select(buffer => buffer.Offset), Is.All.Zero);
    }

    [Test]
    public void Sweeps_place_as_well_as_the_quadratic_search_in_the_same_order([Values] bool backward) => Check(buffers =>
    {
        long peak = PlannerSweep.Place(buffers, backward);
        PlanChecks.RequireDisjoint(buffers);
        Assert.That(
            peak, Is.EqualTo(buffers.Length == 0 ? 0 : buffers.Max(buffer => buffer.Offset + Planner.Align(buffer.Bytes))));
        long[] offsets = [.. buffers.Select(buffer => buffer.Offset)];
        Buffer[] order = backward
            ? [.. buffers.OrderBy(buffer => -buffer.Last).ThenByDescending(buffer => buffer.Bytes)]
            : [.. buffers.OrderBy(buffer => buffer.First).ThenByDescending(buffer => buffer.Bytes)];
        BestFit(order);
        Assert.That(offsets, Is.EqualTo(buffers.Select(buffer => buffer.Offset)));
    });

    [Test]
    public void Many_buffers_are_placed_in_no_time_and_without_waste()
    {
        // A training step of a chain: outputs live until their backward step, nested in one another, with scratch between.
        const int Nodes = 100_000;
        Buffer[] buffers =
        [
            .. Enumerable.Range(0, Nodes).Select(i => new Buffer("y", 64 * (1 + (i % 7)), i, (2 * Nodes) - 1 - i)),
            .. Enumerable.Range(0, Nodes).Select(i => new Buffer("scratch", 100, i, i)),
        ];
        var clock = System.Diagnostics.Stopwatch.StartNew();
        (long peak, long lowerBound) = Planner.Assign(buffers);
        TestContext.Out.WriteLine($"{buffers.Length} buffers in {clock.ElapsedMilliseconds} ms");
        Assert.That(peak, Is.EqualTo(lowerBound));
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), "quadratic time would take minutes");
        FastNN.Graphs.Checks.PlanCheck.RequireDisjoint(buffers);
    }

    [TestCaseSource(typeof(Networks), nameof(Networks.All))]
    public void The_missions_networks_need_at_most_a_twentieth_above_the_lower_bound(Network network)
    {
        using var device = new CpuDevice(1);
        foreach (GraphMode mode in new[] { GraphMode.Training, GraphMode.Inference })
        {
            Layer model = network.Build();
            Plan plan = TrainingProgram.Compile(device, model, network.Loss, network.Example, network.Batch, mode, seed: 0).Plan;
            PlanChecks.RequireDisjoint(plan.Buffers);
            TestContext.Out.WriteLine($"{network} {mode}: {plan.PeakBytes} bytes, lower bound {plan.LowerBoundBytes}");
            Assert.That(plan.PeakBytes, Is.InRange(plan.LowerBoundBytes, 1.05 * plan.LowerBoundBytes));
        }
    }

    /// <summary>
    /// Best fit by its definition: the smallest gap between those placed before that are alive at the same time.
    /// </summary>
    private static void BestFit(Buffer[] order)
    {
        for (int i = 0; i < order.Length; i++)
        {
            long size = Planner.Align(order[i].Bytes), end = 0, best = -1, smallest = long.MaxValue;
            foreach (Buffer other in order[..i].Where(order[i].Overlaps).OrderBy(other => other.Offset))
            {
                long gap = other.Offset - end;
                (smallest, best) = gap >= size && gap < smallest ? (gap, end) : (smallest, best);
                end = Math.Max(end, other.Offset + Planner.Align(other.Bytes));
            }

            order[i].Offset = best >= 0 ? best : end;
        }
    }

    private static void Check(Action<Buffer[]> property)
    {
        Gen<Buffer> buffer =
            from bytes in Gen.Choose(1, 5000)
            from first in Gen.Choose(0, 40)
            from length in Gen.Choose(0, 24)
            select new Buffer("b", bytes, first, first + length);
        Property.Check(300, buffer.ArrayOf().ToArbitrary(), property);
    }
}
