using FastNN.Data;

namespace FastNN.Tests.Data;

internal sealed class TermWeightsTests
{
    [Test]
    public void Rows_are_those_of_scikit_learn()
    {
        // TfidfVectorizer(sublinear_tf=True) of "b c b", "c d", by its formulas: the idf of a word in n of two texts is
        // ln(3 / (n + 1)) + 1.
        int[][] texts = [[2, 3, 2], [3, 4]];
        SparseMatrix rows = TermWeights.Fit(texts, 5).Apply(texts);
        double twice = (1 + Math.Log(2)) * (1 + Math.Log(1.5)), once = 1 + Math.Log(1.5), norm = Math.Sqrt((twice * twice) + 1);
        double other = Math.Sqrt((once * once) + 1);
        Assert.That(
            rows.ToDense(),
            Is.EqualTo(new[] { 0, 0, twice / norm, 1 / norm, 0, 0, 0, 0, 1 / other, once / other }).Within(1e-6));
    }

    [Test]
    public void Padding_unknown_and_unseen_words_do_not_count()
    {
        TermWeights weights = TermWeights.Fit([[0, 1, 2]], 4);
        Assert.That(weights.Columns, Is.EqualTo(4));
        SparseMatrix rows = weights.Apply([[0, 1, 3], [2, 2], []]);
        Assert.That(rows.RowStarts.ToArray(), Is.EqualTo(new[] { 0, 0, 1, 1 }));
        Assert.That(rows.ColumnIndices.ToArray(), Is.EqualTo(new[] { 2 }));
        Assert.That(rows.Values[0], Is.EqualTo(1).Within(1e-6));
        Assert.That(TermWeights.Fit([[0, 1]], 2, first: 0).Apply([[1, 0]]).StoredBlocks, Is.EqualTo(2));
    }

    [Test]
    public void Symbols_out_of_range_are_refused()
    {
        Assert.That(() => TermWeights.Fit([[4]], 4), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => TermWeights.Fit([], 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => TermWeights.Fit([], 4).Apply([[-1]]), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
