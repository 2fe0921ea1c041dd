using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// The normalization of each row of x [rows, length]. Mean and scale have a number per row, weight and bias one per column.
/// </summary>
/// <param name="Mean">Null where rows are not centered (RMSNorm).</param>
/// <param name="Scale">1 / sqrt(variance + eps), or of the mean of squares.</param>
internal readonly record struct RowNormalization(
    RowGeometry Geometry, float Eps, Tensor X, Tensor? Mean, Tensor Scale, Tensor? Weight);

/// <summary>Rows to normalize, and how the sums over them for the parameters' gradients are cut.</summary>
internal sealed record RowGeometry(int Rows, int Length)
{
    private const int LeastRows = 16, MostParts = 512;

    /// <summary>Sums of a part begin with a sector each (kernels/layernorm.cu).</summary>
    private const int FloatsPerSector = 8;

    /// <summary>
    /// Rows whose sums are one part: a multiple of 8. Few parts cost little to write and add, many keep more processors busy.
    /// </summary>
    public int RowsPerPart { get; } = Math.Max(LeastRows, (int)(((((long)Rows + MostParts - 1) / MostParts) + 7) / 8 * 8));

    /// <summary>Parts of the sums over rows.</summary>
    public int Parts => (int)(((long)Rows + RowsPerPart - 1) / RowsPerPart);

    /// <summary>Bytes that hold the parts of the gradients of weight and bias.</summary>
    public long WorkspaceBytes => 2L * Parts * Pitch * sizeof(float);

    /// <summary>The same with those of what is added in front of it.</summary>
    public long ResidualWorkspaceBytes => 3L * Parts * Pitch * sizeof(float);

    private long Pitch => (Length + FloatsPerSector - 1L) / FloatsPerSector * FloatsPerSector;
}

/// <summary>Gradients of a normalization, each null where none is wanted, each written (=) or added to (+=).</summary>
internal readonly record struct NormalizationGradients(
    Tensor? X, bool AccumulateX, Tensor? Weight, bool AccumulateWeight, Tensor? Bias, bool AccumulateBias);

/// <summary>What is added in front of a normalization of rows: sum = (product + product bias) + residual.</summary>
/// <param name="Product">[rows, length], or the table whose rows the indices name.</param>
/// <param name="ProductBias">[length], or null for none.</param>
/// <param name="Residual">[rows, length], or fewer rows, which repeat.</param>
/// <param name="Indices">[rows], Int32 or Int64: which rows of a table; one out of range is a row of NaN. Null: no table.</param>
internal readonly record struct AddedRows(Tensor Product, Tensor? ProductBias, Tensor Residual, Tensor? Indices);

/// <summary>Gradients of what is added besides the product, null where none is wanted.</summary>
/// <param name="Residual">[rows, length]: of a residual whose rows do not repeat.</param>
internal readonly record struct AddedGradients(
    Tensor? Residual, bool AccumulateResidual, Tensor? ProductBias, bool AccumulateProductBias);

internal partial interface INormalizations
{
    /// <summary>
    /// mean and scale (=) of each row, and y = (x - mean) scale weight + bias; without weight or bias 1 and 0. y may be x.
    /// </summary>
    void LayerNormForward(in RowNormalization rows, Tensor? bias, Tensor y);

    /// <summary>
    /// With given = dY weight and normalized = (x - mean) scale: dX (=|+=) scale (given - sum(given) / n - normalized
    /// sum(given normalized) / n), the sum of given only where rows are centered; dWeight (=|+=) the sums of dY normalized over
    /// the rows, dBias (=|+=) those of dY. dX may be dY where it does not add.
    /// </summary>
    /// <param name="workspace"><see cref="RowGeometry.WorkspaceBytes"/>, where a gradient of weight or bias is wanted.</param>
    void LayerNormBackward(in RowNormalization rows, Tensor dY, in NormalizationGradients gradients, Tensor? workspace);

    /// <summary>
    /// The sum (=), which is <see cref="RowNormalization.X"/>, and then y as <see cref="LayerNormForward"/> makes it of that. The
    /// sum may be the product, unless that is a table, or a residual of as many rows.
    /// </summary>
    void ResidualNormForward(in RowNormalization rows, in AddedRows added, Tensor? bias, Tensor y);

    /// <summary>
    /// With d = dSum + what <see cref="LayerNormBackward"/> gives to the sum: the product's gradient (=), which is
    /// <see cref="NormalizationGradients.X"/>, the residual's (=|+=) d; the product bias's (=|+=) the column sums of d; those of
    /// weight and bias as there. One of the first two may be in dSum's place. The product bias's is wanted only beside the
    /// product's.
    /// </summary>
    /// <param name="dY">Null: y has no gradient.</param>
    /// <param name="dSum">What arrived at the sum from others, or null for nothing.</param>
    /// <param name="workspace">
    /// <see cref="RowGeometry.ResidualWorkspaceBytes"/>, where a gradient of weight, bias or product bias is wanted.
    /// </param>
    void ResidualNormBackward(
        in RowNormalization rows, Tensor? dY, Tensor? dSum, in NormalizationGradients gradients, in AddedGradients added,
        Tensor? workspace);
}
