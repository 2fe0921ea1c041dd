using FastNN.Cpu;

namespace FastNN.Tests.Cpu;

internal sealed class TaskRangesTests
{
    [Test]
    public void A_thread_takes_its_own_tasks_in_order_then_the_last_ones_of_the_others()
    {
        var ranges = new TaskRanges(3);
        ranges.Deal(9);
        Assert.That(ranges.Claim(1), Is.EqualTo(3));
        Assert.That(ranges.Claim(2), Is.EqualTo(6));
        int[] rest = [.. Enumerable.Range(0, 8).Select(_ => ranges.Claim(0))];
        Assert.That(rest, Is.EqualTo([0, 1, 2, 5, 4, 8, 7, -1]));
    }

    [Test]
    public void Every_task_is_given_out_once([Values(1, 2, 5)] int threads, [Values(0, 1, 4, 5, 17)] int tasks)
    {
        var ranges = new TaskRanges(threads);
        for (int repeat = 0; repeat < 3; repeat++)
        {
            ranges.Deal(tasks);
            int[] claimed = [.. Enumerable.Range(0, tasks).Select(i => ranges.Claim((i * 3) % threads))];
            Assert.That(claimed, Is.EquivalentTo(Enumerable.Range(0, tasks)));
            Assert.That(Enumerable.Range(0, threads).Select(ranges.Claim), Is.All.EqualTo(-1));
        }
    }

    [Test]
    public void Nothing_is_left_after_clearing()
    {
        var ranges = new TaskRanges(2);
        ranges.Deal(10);
        ranges.Clear();
        Assert.That(ranges.Claim(0), Is.EqualTo(-1));
        Assert.That(ranges.Claim(1), Is.EqualTo(-1));
    }
}
