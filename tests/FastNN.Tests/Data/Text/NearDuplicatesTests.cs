using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class NearDuplicatesTests
{
    [Test]
    public void Copies_with_a_few_changes_are_one_group_and_others_are_not()
    {
        var random = new Random(0);
        int[] Draw() => [.. Enumerable.Range(0, 200).Select(_ => random.Next(1000))];
        int[] a = Draw(), b = Draw(), changed = [.. a], longer = [.. b, 1, 2, 3, 4, 5];
        changed[50] = changed[120] = -1;
        Assert.That(NearDuplicates.Groups([a, b, Draw(), changed, longer, Draw()]), Is.EqualTo(new[] { 0, 1, 2, 0, 1, 5 }));
    }

    [Test]
    public void Groups_are_joined_through_a_third_text()
    {
        int[] all = [.. Enumerable.Range(0, 300)];
        int[] first = all[..200], middle = all[40..240], last = all[80..280];
        Assert.That(NearDuplicates.Groups([first, last, middle]), Is.EqualTo(new[] { 0, 0, 0 }));
    }

    [Test]
    public void Short_and_empty_texts_are_compared_as_a_whole()
    {
        Assert.That(NearDuplicates.Groups([[1], [], [1, 2], [1], [2, 1], []]), Is.EqualTo(new[] { 0, 1, 2, 0, 4, 1 }));
        Assert.That(NearDuplicates.Groups([]), Is.Empty);
    }
}
