using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>Rows of [Outer, Time, Inner, Width], rotated by their place along Time.</summary>
/// <param name="Rotated">Inner indices that are rotated; the others are copied.</param>
/// <param name="Interleaved">Elements 2i and 2i + 1 are a pair; otherwise i and i + Width / 2.</param>
/// <param name="Offset">Added to the places.</param>
/// <param name="PerExample">Outer indices that share a row of positions; 0 where there is one row for all.</param>
/// <param name="Positions">Rows of the table.</param>
internal sealed record RotaryGeometry(
    int Outer, int Time, int Inner, int Width, int Rotated, bool Interleaved, int Offset, int PerExample, int Positions);

internal partial interface IAttention
{
    /// <summary>
    /// y (=|+=) x with each pair (a, b) turned by the angle of its position: (a cos - b sin, b cos + a sin); backwards by the
    /// opposite angle. y may be x when not accumulating.
    /// </summary>
    /// <param name="table">[positions, Width]: cosines of the Width / 2 pairs, then their sines.</param>
    /// <param name="positions">Int32 [Time], or [examples, Time]; null counts from the offset.</param>
    void Rotate(RotaryGeometry geometry, Tensor x, Tensor table, Tensor? positions, bool backwards, Tensor y, bool accumulate);
}
