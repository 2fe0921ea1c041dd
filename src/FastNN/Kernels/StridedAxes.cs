namespace FastNN.Kernels;

/// <summary>
/// How up to three tensors lie along the same axes, outermost first: extents, and each tensor's stride in elements, 0 where it
/// repeats and negative where it is walked backwards. Axes of extent 1 are left out and neighbors along which all tensors
/// continue alike are joined, so that most cases have one to three axes.
/// </summary>
internal unsafe struct StridedAxes
{
    public fixed int Extents[Shape.MaxRank];
    public fixed long First[Shape.MaxRank];
    public fixed long Second[Shape.MaxRank];
    public fixed long Third[Shape.MaxRank];

    /// <summary>The number of joined axes; 0 for a single element.</summary>
    public int Rank { get; private set; }

    /// <summary>The innermost extent, 1 for a single element.</summary>
    public readonly int Inner => Rank == 0 ? 1 : Extents[Rank - 1];

    /// <summary>The product of all extents.</summary>
    public readonly long Count
    {
        get
        {
            long product = 1;
            for (int axis = 0; axis < Rank; axis++)
            {
                product *= Extents[axis];
            }

            return product;
        }
    }

    /// <summary>The product of all extents but the innermost.</summary>
    public readonly int Outer => Inner == 0 ? 0 : (int)(Count / Inner);

    /// <summary>The axes of a tensor of this shape, beside three operands that broadcast to it.</summary>
    public static StridedAxes Broadcast(in Shape whole, in Shape first, in Shape second, in Shape third)
    {
        StridedAxes axes = default;
        for (int axis = 0; axis < whole.Rank; axis++)
        {
            axes.Append(
                whole[axis], Stride(first, axis - whole.Rank), Stride(second, axis - whole.Rank),
                Stride(third, axis - whole.Rank));
        }

        return axes;
    }

    /// <summary>Adds an axis inside those that are there, or joins it with the last.</summary>
    public void Append(int extent, long first, long second, long third = 0)
    {
        if (extent == 1)
        {
            return;
        }

        int last = Rank - 1;
        if (last >= 0 && First[last] == first * extent && Second[last] == second * extent && Third[last] == third * extent)
        {
            Extents[last] *= extent;
        }
        else
        {
            last = Rank++;
            Extents[last] = extent;
        }

        First[last] = first;
        Second[last] = second;
        Third[last] = third;
    }

    /// <summary>Where the row with this number, counted over all axes but the innermost, begins in each tensor.</summary>
    public readonly void Locate(nint row, out nint first, out nint second, out nint third) =>
        Locate(Rank - 2, row, out first, out second, out third);

    /// <summary>Where the element with this number, counted over all axes, lies in the first tensor.</summary>
    public readonly nint FirstOf(nint index)
    {
        LocateElement(index, out nint first, out _, out _);
        return first;
    }

    /// <summary>Where the element with this number, counted over all axes, lies in each tensor.</summary>
    public readonly void LocateElement(nint index, out nint first, out nint second, out nint third) =>
        Locate(Rank - 1, index, out first, out second, out third);

    private readonly void Locate(int innermost, nint index, out nint first, out nint second, out nint third)
    {
        (first, second, third) = (0, 0, 0);
        for (int axis = innermost; axis >= 0; axis--)
        {
            (nint rest, nint place) = axis == 0 ? (0, index) : Math.DivRem(index, Extents[axis]);
            first += place * (nint)First[axis];
            second += place * (nint)Second[axis];
            third += place * (nint)Third[axis];
            index = rest;
        }
    }

    /// <summary>The stride along an axis, counted from the end; 0 where the shape lacks it or repeats along it.</summary>
    private static long Stride(in Shape shape, int axis) =>
        -axis > shape.Rank || shape[axis] == 1 ? 0 : shape.Product(shape.Rank + axis + 1, shape.Rank);
}
