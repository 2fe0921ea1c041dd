using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A dense layer with a sparse weight: y = f(x weight^T + bias), [..., in] becomes [..., units]. Which elements are stored stays
/// as it is given, such as by pruning a trained weight; what they are is trained. The product runs on the transposed batch, so
/// that it is along neighbors in memory; the fuller the batch, the better.
/// </summary>
public sealed class SparseDense : Layer
{
    private readonly SparseMatrix _matrix;
    private readonly Activation _activation;
    private Parameter? _values;
    private Parameter? _bias;

    /// <summary>A layer.</summary>
    /// <param name="weight">[units, in], as PyTorch's Linear has it: which elements are stored, and their first values.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    public SparseDense(SparseMatrix weight, Activation activation = default)
    {
        ArgumentNullException.ThrowIfNull(weight);
        (_matrix, _activation) = (weight, activation);
    }

    /// <summary>Add a bias, at first zeros; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Which elements are stored, and what they were at first.</summary>
    public SparseMatrix Pattern => _matrix;

    /// <summary>The stored elements, [stored] or [stored, 4], once built.</summary>
    public Parameter? Values => _values;

    /// <summary>The bias [units], once built and if there is one.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank < 2 || x.Shape[-1] != _matrix.Columns)
        {
            throw new ShapeException(
                $"SparseDense: expected inputs [..., {_matrix.Columns}] for a weight [{_matrix.Rows}, {_matrix.Columns}], got {x.Shape}.");
        }

        int stored = _matrix.StoredBlocks;
        _values = AddParameter(
            "values", _matrix.BlockRows == 1 ? new Shape(stored) : new Shape(stored, _matrix.BlockRows), new Given(_matrix));
        _bias = UseBias ? AddParameter("bias", new Shape(_matrix.Rows), Initializer.Zeros) : null;
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Graph graph = x.Graph;
        Value rows = x.Shape.Rank == 2 ? x : x.Flatten(0, -2);
        Value y = rows.Transpose().SparseMatMul(_matrix, graph.Use(_values!)).Transpose();
        y = x.Shape.Rank == 2 ? y : y.Reshape([.. x.Shape[..^1], _matrix.Rows]);
        return (_bias is null ? y : y + graph.Use(_bias)).Activate(_activation);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("units", _matrix.Rows).Set("in", _matrix.Columns).Set("blockRows", _matrix.BlockRows)
            .Set("rowStarts", _matrix.RowStarts).Set("columns", _matrix.ColumnIndices).Set("activation", _activation)
            .Set("useBias", UseBias);
    }

    internal static SparseDense Create(LayerDescription description)
    {
        int[] columns = description.Int32s("columns");
        int blockRows = description.Int32("blockRows");

        // The values are the file's parameter.
        SparseMatrix matrix = SparseMatrix.FromCsr(
            description.Int32("units"), description.Int32("in"), description.Int32s("rowStarts"), columns,
            new float[columns.Length * (blockRows is 4 ? 4 : 1)], blockRows);
        return new SparseDense(matrix, description.Activation())
        {
            Name = description.Name,
            UseBias = description.Boolean("useBias"),
        };
    }

    private sealed class Given(SparseMatrix matrix) : Initializer
    {
        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number) => matrix.Values.CopyTo(values);
    }
}
