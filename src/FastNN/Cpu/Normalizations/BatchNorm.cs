using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Columns: statistics read x once from memory, 4 bytes per element, the sums of backward 8, 16 where ReLU masks; y takes 8, 12
/// with a residual, dX 12 or 16. Parts of rows are cut by the shape and added in order, so the number of threads changes no bit.
/// </summary>
internal sealed unsafe partial class CpuNormalizations
{
    /// <summary>Elements of a part at least.</summary>
    private const int PartElements = 32 * 1024;

    public void BatchNormTrain(
        in ColumnNormalization columns, RunningStatistics? running, Tensor? bias, Tensor? residual, bool relu, Tensor y)
    {
        BatchNormStatistics(columns, running);
        BatchNormForward(columns, bias, residual, relu, y);
    }

    private void BatchNormStatistics(in ColumnNormalization columns, RunningStatistics? running)
    {
        ColumnGeometry geometry = columns.Geometry;
        ColumnParts parts = PartsOf(geometry, columns.Workspace);
        parts.Run(Pool, new ColumnMoments(Floats(columns.X), parts));
        RowLoop.Run(
            Pool, geometry.Batches, (long)parts.Count * geometry.Channels,
            new JoinedMoments(parts, geometry.PerGroup, columns.Eps, Floats(columns.Mean), Floats(columns.Scale)));
        if (running is { } statistics)
        {
            Update(statistics, columns);
        }
    }

    public void BatchNormForward(in ColumnNormalization columns, Tensor? bias, Tensor? residual, bool relu, Tensor y)
    {
        switch (residual is not null, relu)
        {
            case (false, false):
                BatchNormForward<Plain>(columns, bias, residual, y);
                break;
            case (false, true):
                BatchNormForward<Clipped>(columns, bias, residual, y);
                break;
            case (true, false):
                BatchNormForward<Added>(columns, bias, residual, y);
                break;
            default:
                BatchNormForward<AddedAndClipped>(columns, bias, residual, y);
                break;
        }
    }

    private void BatchNormForward<TFinish>(in ColumnNormalization columns, Tensor? bias, Tensor? residual, Tensor y)
        where TFinish : struct, IColumnFinish
    {
        ColumnGeometry geometry = columns.Geometry;
        RowLoop.Run(
            Pool, geometry.Batches * geometry.Rows, geometry.Channels,
            new NormalizedColumns<TFinish>(
                geometry, Floats(columns.X), Floats(columns.Mean), ScaleOf(columns), Floats(columns.Weight), Floats(bias),
                Floats(residual), Floats(y)));
    }

    /// <summary>Two passes: rows are in the cache of the thread that sums them, and dX needs all sums first.</summary>
    public bool BatchNormBackwardAtOnce(
        in ColumnNormalization columns, Tensor? y, Tensor dY, bool keepsMasked, in NormalizationGradients gradients) => false;

    public void BatchNormSums(
        in ColumnNormalization columns, Tensor? y, Tensor dY, Tensor sums, in NormalizationGradients gradients)
    {
        ColumnGeometry geometry = columns.Geometry;
        float* scale = ScaleOf(columns), to = Floats(sums);
        if (columns.IsGiven)
        {
            // The parts of the sums take the workspace's place once the scales have moved behind the sums.
            new Span<float>(scale, geometry.Channels).CopyTo(new Span<float>(to + (2L * geometry.Channels), geometry.Channels));
            scale = to + (2L * geometry.Channels);
        }

        ColumnParts parts = PartsOf(geometry, columns.Workspace);
        if (y is null)
        {
            parts.Run(
                Pool, new ColumnGradientSums<Unmasked>(
                    Floats(columns.X), null, Floats(dY), Floats(columns.Mean), scale, parts));
        }
        else
        {
            parts.Run(
                Pool, new ColumnGradientSums<Masked>(
                    Floats(columns.X), Floats(y), Floats(dY), Floats(columns.Mean), scale, parts));
        }

        RowLoop.Run(
            Pool, geometry.Batches, (long)parts.Count * geometry.Channels,
            new JoinedSums(parts, geometry.PerGroup, Floats(columns.Weight), to, columns.IsGiven));
        PartSums.Add(Pool, to, geometry.Batches, geometry.Channels, geometry.Channels, gradients.Bias, gradients.AccumulateBias);
        PartSums.Add(
            Pool, to + ((long)geometry.Batches * geometry.Channels), geometry.Batches, geometry.Channels, geometry.Channels,
            gradients.Weight, gradients.AccumulateWeight);
    }

    public void BatchNormBackward(in ColumnNormalization columns, Tensor dY, Tensor? sums, Tensor dX, bool accumulate)
    {
        if (accumulate)
        {
            BatchNormBackward<Accumulate>(columns, dY, sums, dX);
        }
        else
        {
            BatchNormBackward<Assign>(columns, dY, sums, dX);
        }
    }

    private void BatchNormBackward<TStore>(in ColumnNormalization columns, Tensor dY, Tensor? sums, Tensor dX)
        where TStore : struct, IStore
    {
        ColumnGeometry geometry = columns.Geometry;
        float* weighted = sums is null ? null : Floats(sums) + (2L * geometry.Batches * geometry.Channels);
        RowLoop.Run(
            Pool, geometry.Batches * geometry.Rows, geometry.Channels,
            new ColumnGradients<TStore>(
                geometry, Floats(columns.X), Floats(dY), Floats(columns.Mean), ScaleOf(columns), Floats(columns.Weight), weighted,
                Floats(dX)));
    }

    /// <summary>The scales; those of given variances are made in the workspace.</summary>
    private float* ScaleOf(in ColumnNormalization columns)
    {
        float* scale = Floats(columns.Scale);
        if (!columns.IsGiven)
        {
            return scale;
        }

        float* made = Floats(columns.Workspace);
        for (int i = 0; i < columns.Geometry.Channels; i++)
        {
            made[i] = 1 / MathF.Sqrt(scale[i] + columns.Eps);
        }

        return made;
    }

    private static ColumnParts PartsOf(ColumnGeometry geometry, Tensor workspace)
    {
        long wanted = Math.Clamp((long)geometry.Rows * geometry.Channels / PartElements, 1, geometry.MaxParts);
        int rows = Math.Max(1, (int)((geometry.Rows + wanted - 1) / wanted));
        return new ColumnParts(geometry, Floats(workspace), rows, Math.Max(1, (geometry.Rows + rows - 1) / rows));
    }

    /// <summary>The batch's variance, biased, lies behind its mean in the workspace once the parts are joined.</summary>
    private static void Update(in RunningStatistics running, in ColumnNormalization columns)
    {
        int channels = columns.Geometry.Channels;
        long count = columns.Geometry.Terms;
        float momentum = running.Momentum, factor = count / (count - 1f);
        float* mean = Floats(columns.Mean), variance = Floats(columns.Workspace) + channels;
        float* oldMean = Floats(running.Mean), oldVariance = Floats(running.Variance);
        float* newMean = Floats(running.UpdatedMean), newVariance = Floats(running.UpdatedVariance);
        for (int i = 0; i < channels; i++)
        {
            newMean[i] = ((1 - momentum) * oldMean[i]) + (momentum * mean[i]);
            newVariance[i] = ((1 - momentum) * oldVariance[i]) + (momentum * factor * variance[i]);
        }
    }
}
