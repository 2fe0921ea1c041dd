using System.Collections;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace FastNN;

/// <summary>
/// The extents of a tensor, outermost first, at most eight of them. Images are [N, H, W, C]; a scalar has no axis.
/// Immutable and without heap storage.
/// </summary>
[CollectionBuilder(typeof(ShapeBuilder), nameof(ShapeBuilder.Create))]
public readonly struct Shape : IEquatable<Shape>, IEnumerable<int>
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
            throw new ShapeException(
                $"Shape: expected at most {MaxRank} axes, got {extents.Length} axes: {Format(extents)}.");
        }

        long count = 1;
        Rank = extents.Length;
        for (int i = 0; i < extents.Length; i++)
        {
            _extents[i] = extents[i];
            if (Dim.IsSymbol(extents[i]))
            {
                IsSymbolic = true;
                continue;
            }

            if (extents[i] < 0)
            {
                throw new ShapeException($"Shape: extent {extents[i]} of axis {i} is negative.");
            }

            // 2^40 elements is far above any memory here, so a product below it never overflows a byte count.
            if (extents[i] > 0 && count > (1L << 40) / extents[i])
            {
                throw new ShapeException($"Shape: {Format(extents)} has more than 2^40 elements.");
            }

            count *= extents[i];
        }

        _countLessOne = count - 1;
    }

    /// <summary>A shape of these extents.</summary>
    /// <param name="operation">Who asks, for the message.</param>
    /// <param name="extents">Extents, outermost first.</param>
    /// <exception cref="ShapeException">They are none of a shape; the message names the operation.</exception>
    internal static Shape Of(string operation, ReadOnlySpan<int> extents)
    {
        try
        {
            return new Shape(extents);
        }
        catch (ShapeException exception)
        {
            throw new ShapeException($"{operation}: {exception.Message}");
        }
    }

    /// <summary>The number of axes.</summary>
    public int Rank { get; }

    /// <summary>The number of axes, by the name that ranges (<c>shape[1..]</c>) look for.</summary>
    public int Length => Rank;

    /// <summary>Whether an extent is a symbol (<see cref="Dim"/>).</summary>
    public bool IsSymbolic { get; }

    /// <summary>The number of elements: the product of the extents, 1 for a scalar.</summary>
    /// <exception cref="ShapeException">An extent is a symbol, so the number is known only once a plan is made.</exception>
    public long Count => IsSymbolic
        ? throw new ShapeException(
            $"Shape: {this} has a symbolic extent, so its number of elements is known only when a plan is made.")
        : _countLessOne + 1;

    /// <summary>The extent of one axis; negative axes count from the end.</summary>
    /// <param name="axis">-Rank to Rank - 1.</param>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public int this[int axis] => _extents[NormalizeAxis(axis)];

    /// <summary>A shape of some of the axes: <c>shape[1..]</c> is an example's shape, from a batch's.</summary>
    /// <param name="start">The first axis.</param>
    /// <param name="length">The number of axes.</param>
    /// <returns>The shape.</returns>
    /// <exception cref="ShapeException">An axis is out of range.</exception>
    public Shape Slice(int start, int length)
    {
        if (start < 0 || length < 0 || length > Rank - start)
        {
            throw new ShapeException(
                $"Shape: expected axes from 0 to {Rank - 1} of {this}, got {start} to {start + length - 1L}.");
        }

        Span<int> extents = stackalloc int[MaxRank];
        for (int i = 0; i < length; i++)
        {
            extents[i] = _extents[start + i];
        }

        return new Shape(extents[..length]);
    }

    /// <summary>Maps a possibly negative axis to 0..Rank-1.</summary>
    /// <param name="axis">-Rank to Rank - 1.</param>
    /// <returns>The axis counted from the front.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public int NormalizeAxis(int axis) => NormalizeAxis(axis, nameof(Shape));

    /// <summary>Maps a possibly negative axis to 0..Rank-1.</summary>
    /// <param name="axis">-Rank to Rank - 1.</param>
    /// <param name="operation">Who asks, for the message.</param>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    internal int NormalizeAxis(int axis, string operation)
    {
        int normalized = axis < 0 ? axis + Rank : axis;
        return (uint)normalized < (uint)Rank ? normalized
            : throw new ShapeException(
                Rank == 0 ? $"{operation}: expected a shape with axis {axis}, got the scalar shape [], which has none."
                : $"{operation}: axis {axis} of shape {this} is out of range {-Rank}..{Rank - 1}.");
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

    /// <summary>A shape of these extents: <c>Shape shape = new[] { 28, 28, 1 };</c></summary>
    /// <param name="extents">Extents, outermost first.</param>
    public static implicit operator Shape(int[] extents) => new(extents);

    /// <summary>A shape of these extents.</summary>
    /// <param name="extents">Extents, outermost first.</param>
    public static implicit operator Shape(ReadOnlySpan<int> extents) => new(extents);

    /// <summary>The extents, outermost first.</summary>
    /// <returns>An enumerator.</returns>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)ToArray()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The product of the extents from one axis up to, not including, another.</summary>
    internal long Product(int from, int to)
    {
        long product = 1;
        for (int i = from; i < to; i++)
        {
            if (Dim.IsSymbol(_extents[i]))
            {
                throw new ShapeException($"Shape: axis {i} of {this} is symbolic; its extent is known only when a plan is made.");
            }

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
            parts[i] = Dim.Format(extents[i]);
        }

        return $"[{string.Join(", ", parts)}]";
    }
}

/// <summary>Makes shapes of collection expressions: <c>Shape shape = [28, 28, 1];</c></summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class ShapeBuilder
{
    /// <summary>A shape of these extents.</summary>
    /// <param name="extents">Extents, outermost first.</param>
    /// <returns>The shape.</returns>
    public static Shape Create(ReadOnlySpan<int> extents) => new(extents);
}
