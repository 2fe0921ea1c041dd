namespace FastNN.Tests.Ops;

internal sealed class SparseTests : CpuOpFixture<SparseCases>
{
    private static readonly float[] Dense = [1, 0, -2, 0, 0, 0, 0.5f, 3, 0, 0, 0, 4];

    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<SparseMatrix> Make, string[] Words)[]
    {
        ("blocks of three", () => SparseMatrix.FromDense(Dense, 4, 3, blockRows: 3), ["1 or 4 rows", "3"]),
        ("rows that are no blocks", () => SparseMatrix.FromDense(Dense, 3, 4, blockRows: 4), ["multiple of 4", "3"]),
        ("too few values", () => SparseMatrix.FromDense(Dense, 4, 4), ["16 values", "12"]),
        ("a negative threshold", () => SparseMatrix.FromDense(Dense, 4, 3, -1), ["threshold", "-1"]),
        ("no threshold", () => SparseMatrix.FromDense(Dense, 4, 3, float.NaN), ["threshold", "NaN"]),
        ("too few starts", () => SparseMatrix.FromCsr(2, 3, [0, 1], [0], [1]), ["3 row starts", "2 starts"]),
        ("starts that end early", () => SparseMatrix.FromCsr(2, 3, [0, 1, 1], [0, 1], [1, 2]), ["2 blocks"]),
        ("starts that fall", () => SparseMatrix.FromCsr(3, 3, [0, 2, 1, 2], [0, 1], [1, 2]), ["rise", "2 and 1"]),
        ("starts past the end", () => SparseMatrix.FromCsr(3, 3, [0, 9, 2, 2], [0, 1], [1, 2]), ["rise to 2", "0 and 9"]),
        ("a negative start", () => SparseMatrix.FromCsr(2, 3, [0, -1, 1], [0], [1]), ["rise", "0 and -1"]),
        ("a column outside", () => SparseMatrix.FromCsr(1, 3, [0, 1], [3], [1]), ["0 to 2", "3"]),
        ("a negative column", () => SparseMatrix.FromCsr(1, 3, [0, 1], [-1], [1]), ["0 to 2", "-1"]),
        ("a column twice", () => SparseMatrix.FromCsr(1, 3, [0, 2], [1, 1], [1, 2]), ["rise", "block 1"]),
        ("values that are no blocks", () => SparseMatrix.FromCsr(4, 3, [0, 1], [1], [1, 2], 4),
        ["4 values for each block", "2 values"]),
        ("negative rows", () => SparseMatrix.FromCsr(-1, 3, [0], [], []), ["none negative", "-1"]),
    }.Select(row => new TestCaseData(row.Make, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void Arrays_that_describe_no_matrix_are_refused(Func<SparseMatrix> make, string[] words)
    {
        string message = Assert.Catch<ArgumentException>(() => make())!.Message;
        Assert.That(words.Append("SparseMatrix").Where(word => !message.Contains(word, StringComparison.Ordinal)), Is.Empty,
            message);
    }

    [Test]
    public void A_dense_matrix_is_stored_by_its_threshold([Values(1, 4)] int block)
    {
        SparseMatrix all = SparseMatrix.FromDense(Dense, 4, 3, blockRows: block),
            large = SparseMatrix.FromDense(Dense, 4, 3, 2, block);
        Assert.That(all.ToDense(), Is.EqualTo(Dense));
        Assert.That(all.StoredBlocks, Is.EqualTo(block == 1 ? 5 : 3));
        Assert.That(large.StoredBlocks, Is.EqualTo(2));
        SparseMatrix copy = SparseMatrix.FromCsr(4, 3, all.RowStarts, all.ColumnIndices, all.Values, block);
        Assert.That(copy.ToDense(), Is.EqualTo(Dense));
        Assert.That(copy.ToString(), Does.Contain("[4, 3]"));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(3, 5)), values = graph.Input(new Shape(4));
        SparseMatrix matrix = SparseMatrix.FromDense(Dense, 4, 3);
        Assert.That(x.SparseMatMul(matrix).Shape, Is.EqualTo(new Shape(4, 5)));
        Assert.That(
            () => x.SparseMatMul(matrix, values),
            Throws.TypeOf<ShapeException>().With.Message.Contains("SparseMatMul").And.Message.Contains("values [5]"));
        Assert.That(() => x.Transpose().SparseMatMul(matrix), Throws.TypeOf<ShapeException>().With.Message.Contains("[5, 3]"));
    }
}
