using FastNN.Ops;

namespace FastNN;

public static partial class Operators
{
    /// <summary>min(max(x, low), high), as PyTorch's clamp.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="low">The least value.</param>
    /// <param name="high">The largest value, at least <paramref name="low"/>.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The bounds are the wrong way round.</exception>
    public static Value Clip(this Value x, float low, float high) => x.Graph.Add(new ClipOp(low, high), x);
}
