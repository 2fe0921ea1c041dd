using FastNN.Graphs;

namespace FastNN;

/// <summary>Normalization by neighboring channels, as a fluent call on values.</summary>
public static class ResponseNormalizationOperators
{
    /// <summary>
    /// Local response normalization (Krizhevsky et al., 2012), as PyTorch's local_response_norm: y = x / (k + alpha mean)^beta,
    /// with the mean of x^2 over a window of channels around each, zeros outside counted in.
    /// </summary>
    /// <param name="x">[N, ..., C] with 1 to 3 axes between batch and channels, of numbers but for N.</param>
    /// <param name="size">Channels of the window; that of channel c begins at c - size / 2.</param>
    /// <param name="alpha">Default 1e-4.</param>
    /// <param name="beta">Default 0.75.</param>
    /// <param name="k">Default 1.</param>
    /// <returns>x's shape.</returns>
    /// <exception cref="ShapeException">x has no such axes, or the size is not positive.</exception>
    public static Value LocalResponseNorm(this Value x, int size, float alpha = 1e-4f, float beta = 0.75f, float k = 1)
    {
        const string name = "LocalResponseNorm";
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank is < 3 or > 5 || x.Shape[1..].IsSymbolic)
        {
            throw new ShapeException(
                $"{name}: expected an input [N, ..., C] with 1 to 3 axes of numbers between batch and channels, got {x.Shape}.");
        }

        if (size < 1 || (long)size + x.Shape[-1] > int.MaxValue)
        {
            throw new ShapeException(
                $"{name}: expected a positive number of channels that stays below 2^31 with those of {x.Shape}, got {size}.");
        }

        // An image of a row for each pixel and a column for each channel, with one channel of its own.
        WindowRecorder.Require(name, x, x.Shape.Rank - 2);
        double all = x.Shape[1..^1].Aggregate(1.0, (count, extent) => count * extent);
        int pixels = all <= int.MaxValue
            ? (int)all
            : throw new ShapeException($"{name}: expected at most {int.MaxValue} pixels in an example, got {x.Shape}.");
        return x.Graph.Compose(() =>
        {
            Value squares = x.Square().Reshape([x.Shape[0], pixels, x.Shape[-1], 1]);
            Value means = squares.AvgPool2D((1, size), 1, Padding2D.Explicit(0, 0, size / 2, (size - 1) / 2)).Reshape(x.Shape);
            return x * ((means * alpha) + k).Pow(-beta);
        });
    }
}
