namespace FastNN.Kernels;

/// <summary>
/// How two operands lie along the axes of a dense tensor: extents, and each operand's strides in elements, 0 where it repeats.
/// Axes of extent 1 are left out and neighbors along which both operands continue alike are joined, so that most cases
/// have one or two axes.
/// </summary>
internal unsafe struct BroadcastAxes
{
    public fixed int Extents[Shape.MaxRank];
    public fixed long A[Shape.MaxRank];
    public fixed long B[Shape.MaxRank];

    /// <param name="whole">The shape that both broadcast to.</param>
    /// <param name="a">One operand's shape; axes align at the end.</param>
    /// <param name="b">The other's.</param>
    public BroadcastAxes(in Shape whole, in Shape a, in Shape b)
    {
        long* aStrides = stackalloc long[Shape.MaxRank], bStrides = stackalloc long[Shape.MaxRank];
        Strides(whole.Rank, a, aStrides);
        Strides(whole.Rank, b, bStrides);
        for (int axis = 0; axis < whole.Rank; axis++)
        {
            int extent = whole[axis];
            if (extent != 1)
            {
                Append(extent, aStrides[axis], bStrides[axis]);
            }
        }
    }

    /// <summary>The number of joined axes; 0 for a single element.</summary>
    public int Rank { get; private set; }

    /// <summary>The innermost extent, 1 for a single element.</summary>
    public readonly int Inner => Rank == 0 ? 1 : Extents[Rank - 1];

    public readonly long InnerA => Rank == 0 ? 1 : A[Rank - 1];

    public readonly long InnerB => Rank == 0 ? 1 : B[Rank - 1];

    /// <summary>The product of all extents but the innermost.</summary>
    public readonly int Outer
    {
        get
        {
            int product = 1;
            for (int axis = 0; axis < Rank - 1; axis++)
            {
                product *= Extents[axis];
            }

            return product;
        }
    }

    /// <summary>Where the row with this number, counted over all axes but the innermost, begins in either operand.</summary>
    public readonly void Locate(nint row, out nint a, out nint b)
    {
        a = 0;
        b = 0;
        for (int axis = Rank - 2; axis > 0; axis--)
        {
            (nint rest, nint place) = Math.DivRem(row, Extents[axis]);
            a += place * (nint)A[axis];
            b += place * (nint)B[axis];
            row = rest;
        }

        if (Rank > 1)
        {
            a += row * (nint)A[0];
            b += row * (nint)B[0];
        }
    }

    public void Append(int extent, long a, long b)
    {
        int last = Rank - 1;
        if (last >= 0 && A[last] == a * extent && B[last] == b * extent)
        {
            Extents[last] *= extent;
            A[last] = a;
            B[last] = b;
            return;
        }

        Extents[Rank] = extent;
        A[Rank] = a;
        B[Rank] = b;
        Rank++;
    }

    private static void Strides(int rank, in Shape shape, long* strides)
    {
        long stride = 1;
        for (int axis = rank - 1; axis >= 0; axis--)
        {
            int own = axis - (rank - shape.Rank);
            int extent = own >= 0 ? shape[own] : 1;
            strides[axis] = extent == 1 ? 0 : stride;
            stride *= extent;
        }
    }
}
