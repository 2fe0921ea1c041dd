namespace FastNN.Tests.Ops;

/// <summary>Every case of every operator, for whoever times them.</summary>
internal static class OpCases
{
    public static IEnumerable<(string Operator, OpCase Case)> All => new (string Name, IEnumerable<OpCase> Cases)[]
    {
        ("Activation", ActivationsTests.Cases),
        ("BinaryCrossEntropy", BinaryCrossEntropyTests.Cases),
        ("Concat", ConcatTests.Cases),
        ("Conv2D", Conv2DTests.Cases),
        ("CrossEntropy", CrossEntropyTests.Cases),
        ("Dense", DenseTests.Cases),
        ("Dropout", DropoutTests.Cases),
        ("Elementwise", ElementwiseTests.Cases),
        ("MeanSquaredError", MeanSquaredErrorTests.Cases),
        ("Penalty", PenaltyTests.Cases),
        ("Pool2D", Pool2DTests.Cases),
        ("Reshape", ReshapeTests.Cases),
        ("Softmax", SoftmaxTests.Cases),
    }.SelectMany(row => row.Cases, (row, @case) => (row.Name, @case));
}
