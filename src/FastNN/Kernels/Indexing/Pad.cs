using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// How a tensor and its padded copy lie: up to eight axes, and behind them blocks of elements that stay together. An axis without
/// padding has nothing in front and both extents alike; neighbors of that kind are joined.
/// </summary>
internal unsafe struct PadGeometry
{
    public fixed int Inputs[Shape.MaxRank];
    public fixed int Outputs[Shape.MaxRank];
    public fixed int Befores[Shape.MaxRank];

    /// <summary>The number of axes, at least 1.</summary>
    public int Rank;

    public PadMode Mode;

    /// <summary>Elements of a block.</summary>
    public int Block;

    /// <param name="mode">What lies outside.</param>
    /// <param name="x">The inner shape.</param>
    /// <param name="y">The padded one.</param>
    /// <param name="before">Elements in front of each axis; negative ones are cut off.</param>
    public PadGeometry(PadMode mode, Shape x, Shape y, ReadOnlySpan<int> before)
    {
        (Mode, Block) = (mode, 1);
        int last = x.Rank - 1;
        for (; last > 0 && before[last] == 0 && x[last] == y[last]; last--)
        {
            Block *= x[last];
        }

        bool joins = false;
        for (int axis = 0; axis <= last; axis++)
        {
            bool plain = before[axis] == 0 && x[axis] == y[axis] && axis < last;
            if (plain && joins)
            {
                Inputs[Rank - 1] *= x[axis];
                Outputs[Rank - 1] *= x[axis];
                continue;
            }

            (Inputs[Rank], Outputs[Rank], Befores[Rank]) = (x[axis], y[axis], before[axis]);
            Rank++;
            joins = plain;
        }

        if (Rank == 0)
        {
            (Inputs[0], Outputs[0], Rank) = (1, 1, 1);
        }
    }

    /// <summary>Blocks in front of the innermost axis' rows, of the padded tensor.</summary>
    public readonly int OuterOutputs => Outer(outputs: true);

    /// <summary>Likewise of the other.</summary>
    public readonly int OuterInputs => Outer(outputs: false);

    /// <summary>The place along an axis that a place of the padded tensor repeats; -1 where it holds the constant.</summary>
    public readonly int Source(int axis, int place)
    {
        int extent = Inputs[axis], at = place - Befores[axis];
        if ((uint)at < (uint)extent)
        {
            return at;
        }

        return Mode switch
        {
            PadMode.Reflect => at < 0 ? -at : (2 * (extent - 1)) - at,
            PadMode.Replicate => at < 0 ? 0 : extent - 1,
            PadMode.Circular => at < 0 ? at + extent : at - extent,
            _ => -1,
        };
    }

    /// <summary>How many places of the padded tensor may repeat a place; some of them do not.</summary>
    public readonly int Candidates(int axis, int place)
    {
        int extent = Inputs[axis], after = Outputs[axis] - extent - Befores[axis];
        if (Mode == PadMode.Constant || (Befores[axis] <= 0 && after <= 0))
        {
            return 1;
        }

        if (Mode != PadMode.Replicate)
        {
            return 3;
        }

        // The ends repeat their edge as often as there is padding.
        return 1 + (place == 0 ? Math.Max(0, Befores[axis]) : 0) + (place == extent - 1 ? Math.Max(0, after) : 0);
    }

    /// <summary>One of them, in the order of the padded tensor; -1 where it does not.</summary>
    public readonly int Candidate(int axis, int place, int number)
    {
        int extent = Inputs[axis], at = place + Befores[axis];
        if (Candidates(axis, place) > 1)
        {
            at = Mode switch
            {
                PadMode.Reflect => number == 1
                    ? at
                    : number == 0
                    ? (place > 0 ? Befores[axis] - place : -1)
                    : (place < extent - 1 ? Befores[axis] + (2 * (extent - 1)) - place : -1),
                PadMode.Circular => at + ((number - 1) * extent),
                _ => at - (place == 0 ? Math.Max(0, Befores[axis]) : 0) + number,
            };
        }

        return (uint)at < (uint)Outputs[axis] ? at : -1;
    }

    private readonly int Outer(bool outputs)
    {
        long product = 1;
        for (int axis = 0; axis < Rank - 1; axis++)
        {
            product *= outputs ? Outputs[axis] : Inputs[axis];
        }

        return Tensor.Index(product);
    }
}

internal partial interface IIndexing
{
    /// <summary>y = x with padding; all elements of y are written.</summary>
    /// <param name="constant">The bits of the constant, in the low bytes; of Float32 those of the number.</param>
    void PadForward(Tensor x, Tensor y, in PadGeometry geometry, ulong constant);

    /// <summary>dX (=|+=) for each element the sum of dY over the places that repeat it, in their order.</summary>
    void PadBackward(Tensor dY, Tensor dX, in PadGeometry geometry, bool accumulate);
}
