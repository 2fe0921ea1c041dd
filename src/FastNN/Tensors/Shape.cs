using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace FastNN;

/// <summary>
/// The extents of a tensor, outermost first, at most eight of them. Images are [N, H, W, C]; a scalar has no axis.
/// Immutable and without heap storage.
/// </summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest number of axes.</summary>
    public const int MaxRank = 8;

    [InlineArray(MaxRank)]
    [SuppressMessage("Performance", "CA1823:Avoid unused private fields", Justification = "The storage of an inline array.")]
    private struct Extents
    {
        private int _first;
    }

    private readonly Extents _extents;

    // One less than the count, so that default(Shape) is the scalar.
    private readonly long _countLessOne;

    /// <summary>A shape with these extents.</summary>
    /// <param name="extents">Extents, outermost first; none for a scalar.</param>
    /// <exception cref="ShapeException">An extent is negative, there are more than eight, or their product exceeds 2^40
    /// elements.</exception>
    public Shape(params ReadOnlySpan<int> extents)
    {
        if (extents.Length > MaxRank)
        {
            throw new ShapeException($"Shape: {extents.Length} axes given, at most {MaxRank} are supported.");
        }

        long count = 1;
        Rank = extents.Length;
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents[i] < 0)
            {
                throw new ShapeException($"Shape: extent {extents[i]} of axis {i} is negative.");
            }

            _extents[i] = extents[i];
            // 2^40 elements is far above any memory here, so a product below it never overflows a byte count.
            if (extents[i] > 0 && count > (1L << 40) / extents[i])
            {
                throw new ShapeException($"Shape: {Format(extents)} has more than 2^40 elements.");
            }

            count *= extents[i];
        }

        _countLessOne = count - 1;
    }

    /// <summary>The number of axes.</summary>
    public int Rank { get; }

    /// <summary>The number of elements: the product of the extents, 1 for a scalar.</summary>
    public long Count => _countLessOne + 1;

    /// <summary>The extent of one axis; negative axes count from the end.</summary>
    /// <param name="axis">-Rank to Rank - 1.</param>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    public int this[int axis] => _extents[NormalizeAxis(axis)];

    /// <summary>Maps a possibly negative axis to 0..Rank-1.</summary>
    /// <param name="axis">-Rank to Rank - 1.</param>
    /// <returns>The axis counted from the front.</returns>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    public int NormalizeAxis(int axis)
    {
        int normalized = axis < 0 ? axis + Rank : axis;
        return (uint)normalized < (uint)Rank ? normalized : throw new ShapeException($"Shape {this} has no axis {axis}.");
    }

    /// <summary>The extents as a new array.</summary>
    /// <returns>An array of length <see cref="Rank"/>.</returns>
    public int[] ToArray()
    {
        var extents = new int[Rank];
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = _extents[i];
        }

        return extents;
    }

    /// <summary>The product of the extents from one axis up to, not including, another.</summary>
    internal long Product(int from, int to)
    {
        long product = 1;
        for (int i = from; i < to; i++)
        {
            product *= _extents[i];
        }

        return product;
    }

    /// <summary>This shape with another axis in front: an example's shape becomes a batch's.</summary>
    /// <param name="extent">The extent of the new axis 0, usually the batch size.</param>
    /// <returns>A shape of one more axis.</returns>
    /// <exception cref="ShapeException">The extent is negative or there are eight axes already.</exception>
    public Shape Prepend(int extent)
    {
        Span<int> extents = stackalloc int[MaxRank + 1];
        extents[0] = extent;
        for (int i = 0; i < Rank; i++)
        {
            extents[i + 1] = _extents[i];
        }

        return new Shape(extents[..(Rank + 1)]);
    }

    /// <summary>This shape without its first axis: a batch's shape becomes an example's.</summary>
    /// <returns>A shape of one axis less.</returns>
    /// <exception cref="ShapeException">This is a scalar.</exception>
    public Shape DropFirst()
    {
        if (Rank == 0)
        {
            throw new ShapeException("Shape: a scalar has no axis to drop.");
        }

        Span<int> extents = stackalloc int[MaxRank];
        for (int i = 1; i < Rank; i++)
        {
            extents[i - 1] = _extents[i];
        }

        return new Shape(extents[..(Rank - 1)]);
    }

    /// <summary>Fails where a tensor of this shape would have more elements than can be addressed.</summary>
    /// <param name="what">What has the shape, for the message.</param>
    /// <param name="most">The most elements.</param>
    /// <exception cref="ShapeException">There are more.</exception>
    internal void RequireAtMost(long most, string what)
    {
        if (Count > most)
        {
            throw new ShapeException(string.Create(
                CultureInfo.InvariantCulture,
                $"{what} of shape {this} has {Count:N0} elements and would take {Count * sizeof(float):N0} bytes; at most {most:N0} elements are supported."));
        }
    }

    /// <inheritdoc/>
    public bool Equals(Shape other)
    {
        if (Rank != other.Rank)
        {
            return false;
        }

        for (int i = 0; i < Rank; i++)
        {
            if (_extents[i] != other._extents[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        for (int i = 0; i < Rank; i++)
        {
            hash.Add(_extents[i]);
        }

        return hash.ToHashCode();
    }

    /// <summary>Whether two shapes have the same extents.</summary>
    /// <param name="left">One shape.</param>
    /// <param name="right">Another.</param>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    /// <param name="left">One shape.</param>
    /// <param name="right">Another.</param>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The extents in brackets, as in [32, 28, 28, 1].</summary>
    public override string ToString() => Format(ToArray());

    private static string Format(ReadOnlySpan<int> extents)
    {
        var parts = new string[extents.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = extents[i].ToString(CultureInfo.InvariantCulture);
        }

        return $"[{string.Join(", ", parts)}]";
    }
}
