namespace FastNN.Tests.Ops;

internal sealed class EinsumTests : CpuOpFixture<EinsumCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Equation, int[][] Shapes, string[] Words)[]
    {
        ("ij,jk->ik", [[3, 4]], ["1 operands", "2 terms"]),
        ("ij->ji->ij", [[3, 4]], ["one arrow"]),
        ("ijk->i", [[3, 4]], ["3 axes", "[3, 4]"]),
        ("i->i", [[3, 4]], ["1 axes", "[3, 4]"]),
        ("ijk...->i", [[3, 4]], ["3 or more axes", "[3, 4]"]),
        ("ij,jk->ik", [[3, 4], [5, 6]], ["label j", "4 and 5", "[5, 6]"]),
        ("...i,...i->i", [[3, 4], [2, 4]], ["...", "3 and 2"]),
        ("ii->i", [[3, 4]], ["label i", "3 and 4"]),
        ("i1->i", [[3, 4]], ["letters", "i1"]),
        ("i.j->i", [[3, 4]], ["letters", "i.j"]),
        ("ij->ik", [[3, 4]], ["got k"]),
        ("ij->ii", [[3, 4]], ["different letters", "ii"]),
    }.Select(row => new TestCaseData(row.Equation, row.Shapes, row.Words).SetArgDisplayNames(row.Equation));

    [TestCaseSource(nameof(Wrong))]
    public void An_equation_that_does_not_fit_is_quoted(string equation, int[][] shapes, string[] words)
    {
        var graph = new Graph(GraphMode.Training);
        Value[] values = Array.ConvertAll(shapes, shape => graph.Input(new Shape(shape)));
        string message = Assert.Throws<ShapeException>(() => ProductOperators.Einsum(equation, values))!.Message;
        Assert.That(
            words.Append($"Einsum \"{equation}\"").Where(word => !message.Contains(word, StringComparison.Ordinal)), Is.Empty,
                message);
    }

    [Test]
    public void Symbols_stay_in_their_places()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([Dim.Batch, Dim.Named("T"), 4]), weight = graph.Input(new Shape(4, 3, 5));
        Value y = ProductOperators.Einsum("btd,dhe->bhte", x, weight);
        Assert.That(y.Shape, Is.EqualTo(new Shape([Dim.Batch, 3, Dim.Named("T"), 5])));
        Assert.That(ProductOperators.Einsum("btd,bsd->bts", x, x).Shape,
            Is.EqualTo(new Shape([Dim.Batch, x.Shape[1], x.Shape[1]])));
    }

    [Test]
    public void What_lies_right_is_multiplied_without_a_copy()
    {
        var graph = new Graph(GraphMode.Inference);
        Value a = graph.Input(new Shape(3, 5, 7)), b = graph.Input(new Shape(3, 4, 7));
        _ = ProductOperators.Einsum("bij,bkj->bik", a, b);
        Assert.That(graph.Nodes.Select(node => node.Op.Name), Has.None.EqualTo("Permute"));
    }

    [Test]
    public void Other_products_name_what_does_not_fit()
    {
        var graph = new Graph(GraphMode.Training);
        Value vector = graph.Input(new Shape(3)), matrix = graph.Input(new Shape(2, 3)), weight = graph.Input(new Shape(5, 3, 2));
        Assert.That(vector.Dot(vector).Shape, Is.EqualTo(new Shape()));
        Assert.That(matrix.MatVec(vector).Shape, Is.EqualTo(new Shape(2)));
        Assert.That(() => vector.Dot(matrix),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Dot").And.Message.Contains("[2, 3]"));
        Assert.That(() => vector.MatVec(matrix), Throws.TypeOf<ShapeException>().With.Message.Contains("MatVec"));
        Assert.That(() => ProductOperators.Einsum("i"),
            Throws.TypeOf<ShapeException>().With.Message.Contains("at least one operand"));
        Assert.That(
            () => vector.Bilinear(vector, weight),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Bilinear").And.Message.Contains("weight [5, 3, 2]"));
        Assert.That(
            () => vector.Bilinear(graph.Constant([1, 2], new Shape(2)), weight, vector),
            Throws.TypeOf<ShapeException>().With.Message.Contains("bias [3]"));
    }
}
