using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class GroupSplitTests
{
    [Test]
    public void Groups_stay_whole_and_parts_have_their_share_of_every_class()
    {
        var random = new Random(0);
        int[] groups = [.. Enumerable.Range(0, 5000).Select(i => i < 4000 ? i / 4 : random.Next(1000, 1500))];
        int[] labels = [.. groups.Select(group => group % 5 == 0 ? 1 : group % 7 == 0 ? 2 : 0)];
        int[] parts = GroupSplit.Of(groups, labels, [7, 1, 2], seed: 3);
        Assert.That(groups.Zip(parts).Distinct().Count(), Is.EqualTo(groups.Distinct().Count()));
        for (int label = 0; label < 3; label++)
        {
            int[] ofClass = [.. Enumerable.Range(0, 5000).Where(i => labels[i] == label).Select(i => parts[i])];
            Assert.That(ofClass.Count(part => part == 1) / (double)ofClass.Length, Is.EqualTo(0.1).Within(0.02));
            Assert.That(ofClass.Count(part => part == 2) / (double)ofClass.Length, Is.EqualTo(0.2).Within(0.02));
        }
    }

    [Test]
    public void The_seed_decides()
    {
        int[] groups = [.. Enumerable.Range(0, 100)], labels = new int[100];
        int[] Split(ulong seed) => GroupSplit.Of(groups, labels, [0.5, 0.5], seed);
        int[] first = Split(1), again = Split(1);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(Split(2), Is.Not.EqualTo(first));
        Assert.That(first.Sum(), Is.EqualTo(50));
        Assert.That(GroupSplit.Of([], [], [1]), Is.Empty);
    }

    [Test]
    public void Bad_arguments_are_refused()
    {
        Assert.That(() => GroupSplit.Of([1], [], [1]), Throws.ArgumentException);
        Assert.That(() => GroupSplit.Of([1], [-1], [1]), Throws.ArgumentException.With.Message.Contains("-1"));
        foreach (double[] shares in (double[][])[[], [1, 0], [double.NaN], [double.PositiveInfinity]])
        {
            Assert.That(() => GroupSplit.Of([1], [0], shares), Throws.ArgumentException);
        }
    }
}
