using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// x as [batches, rows, channels], statistics of groups of neighboring channels in each batch: batch normalization has one batch
/// and groups of one channel, instance normalization groups of one, group normalization larger ones.
/// </summary>
internal sealed record ColumnGeometry(int Batches, int Rows, int Channels, int PerGroup)
{
    private const int LeastPerPart = 8192, LeastRows = 64, MostParts = 128;

    /// <summary>Elements of one mean.</summary>
    public long Terms => (long)Rows * PerGroup;

    /// <summary>Elements of x.</summary>
    public long Count => (long)Batches * Rows * Channels;

    /// <summary>
    /// Parts of a batch's column sums at most. A part is two numbers per channel, written and read, so it has 64 rows at least.
    /// </summary>
    public int MaxParts { get; } = (int)Math.Clamp(
        Math.Min((long)Rows * Channels / LeastPerPart, Rows / LeastRows), 1, MostParts);

    /// <summary>
    /// Bytes that hold the parts, eight at least, whose sums begin with a sector of eight floats each (kernels/batchnorm.cu).
    /// </summary>
    public long WorkspaceBytes => 2L * Math.Max(MaxParts, 8) * Batches * ((Channels + 7L) / 8 * 8) * sizeof(float);
}

/// <summary>The normalization of columns.</summary>
/// <param name="Mean">[batches, channels], the same for all channels of a group.</param>
/// <param name="Scale">1 / sqrt(variance + eps), likewise; the variance itself where statistics are given.</param>
/// <param name="Weight">[channels], or null for 1.</param>
/// <param name="IsGiven">Whether statistics are constants; then there is one batch.</param>
/// <param name="Workspace"><see cref="ColumnGeometry.WorkspaceBytes"/>.</param>
internal readonly record struct ColumnNormalization(
    ColumnGeometry Geometry, float Eps, Tensor X, Tensor Mean, Tensor Scale, Tensor? Weight, bool IsGiven, Tensor Workspace);

/// <summary>
/// Running statistics [channels]: updated = (1 - momentum) running + momentum batch, the batch's variance being unbiased.
/// </summary>
internal readonly record struct RunningStatistics(
    Tensor Mean, Tensor Variance, float Momentum, Tensor UpdatedMean, Tensor UpdatedVariance);

internal partial interface INormalizations
{
    /// <summary>
    /// Mean and scale (=) of x, the running statistics, for one batch and groups of one channel, and then y as
    /// <see cref="BatchNormForward"/> makes it of them.
    /// </summary>
    void BatchNormTrain(
        in ColumnNormalization columns, RunningStatistics? running, Tensor? bias, Tensor? residual, bool relu, Tensor y);

    /// <summary>
    /// y = (x - mean) scale weight + bias, plus the residual, if there is one, and clipped at 0, if asked for; without weight or
    /// bias 1 and 0. y may be x or the residual.
    /// </summary>
    void BatchNormForward(in ColumnNormalization columns, Tensor? bias, Tensor? residual, bool relu, Tensor y);

    /// <summary>
    /// sums [4, batches, channels] = the sums over rows of dY, and of dY (x - mean) scale; and, unless statistics are given, for
    /// each channel the sums over its group of both, times the weight and divided by the number of terms. dWeight and dBias
    /// (=|+=) the second and the first over the batches.
    /// </summary>
    /// <param name="y">What ReLU gave, or null: where it is not above 0, dY becomes 0 first.</param>
    void BatchNormSums(in ColumnNormalization columns, Tensor? y, Tensor dY, Tensor sums, in NormalizationGradients gradients);

    /// <summary>
    /// dX (=|+=) scale (dY weight - sum - (x - mean) scale product) with the group's sums, or scale dY weight where statistics
    /// are given. dX may be dY where it does not add.
    /// </summary>
    void BatchNormBackward(in ColumnNormalization columns, Tensor dY, Tensor? sums, Tensor dX, bool accumulate);

    /// <summary>
    /// All of backward in one pass, where the device has one for this shape and statistics are not given: what
    /// <see cref="BatchNormSums"/> and <see cref="BatchNormBackward"/> do, dX and dY in one place included.
    /// </summary>
    /// <param name="y">What ReLU gave, or null: where it is not above 0, dY counts as 0.</param>
    /// <param name="keepsMasked">Whether dY itself becomes 0 there, as somebody reads it; then dX has a place of its own.</param>
    /// <returns>False where the device has none; then nothing was done.</returns>
    bool BatchNormBackwardAtOnce(
        in ColumnNormalization columns, Tensor? y, Tensor dY, bool keepsMasked, in NormalizationGradients gradients);
}
