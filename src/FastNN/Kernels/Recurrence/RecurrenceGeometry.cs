namespace FastNN.Kernels;

/// <summary>What a step of a recurrent network computes.</summary>
internal enum RecurrentCell
{
    /// <summary>h = tanh(x W + h U + b).</summary>
    Tanh,

    /// <summary>h = max(0, x W + h U + b).</summary>
    ReLU,

    /// <summary>Long short-term memory: gates input, forget, cell, output.</summary>
    Lstm,

    /// <summary>Gated recurrent unit, reset gate behind the product: gates reset, update, new.</summary>
    Gru,
}

/// <summary>The sizes of a recurrent sequence, time first.</summary>
/// <param name="IsReverse">Steps go from each sequence's end to its beginning.</param>
/// <param name="Steps">T.</param>
/// <param name="Batch">B.</param>
/// <param name="Inputs">D.</param>
/// <param name="Hidden">H.</param>
internal sealed record RecurrenceGeometry(RecurrentCell Cell, bool IsReverse, int Steps, int Batch, int Inputs, int Hidden)
{
    /// <summary>Vectors of the widest rung that a panel of a packed matrix may be rounded up to, and what packing writes past
    /// it.</summary>
    private const int PanelColumns = 32, PanelSlack = 16;

    /// <summary>Whether there are biases.</summary>
    public bool HasBias { get; init; }

    /// <summary>Whether sequences have lengths of their own, which only the device knows.</summary>
    public bool HasLengths { get; init; }

    public int Gates => Cell switch
    {
        RecurrentCell.Lstm => 4,
        RecurrentCell.Gru => 3,
        _ => 1,
    };

    /// <summary>Columns of the gates: G * H.</summary>
    public int Width => checked(Gates * Hidden);

    /// <summary>
    /// Columns whose recurrent product is added to the projected inputs; the new gate of a GRU keeps its own apart, as the
    /// reset gate multiplies it.
    /// </summary>
    public int Joined => Cell == RecurrentCell.Gru ? 2 * Hidden : Width;

    /// <summary>Rows of all steps.</summary>
    public int Rows => checked(Steps * Batch);

    /// <summary>Whether backward needs a tensor [T, B, H] beside the gates: cells of an LSTM, products of a GRU.</summary>
    public bool KeepsMore => Cell is RecurrentCell.Lstm or RecurrentCell.Gru;

    /// <summary>The step that is computed as the s-th.</summary>
    public int Time(int s) => IsReverse ? Steps - 1 - s : s;

    /// <summary>Rows from a step's to those of the step computed before it.</summary>
    public int Before => IsReverse ? Batch : -Batch;

    /// <summary>Floats of the recurrent weight in panels for forward: [H, Width].</summary>
    public long PackedForward => Packed(Hidden, Joined) + Packed(Hidden, Width - Joined);

    /// <summary>Floats of its transpose for backward: [Width, H].</summary>
    public long PackedBackward => Packed(Joined, Hidden) + Packed(Width - Joined, Hidden);

    /// <summary>Bytes of scratch of the forward pass: the packed weight, products of one step, and states of one
    /// step.</summary>
    public long ForwardBytes => sizeof(float) * (PackedForward + (2L * Batch * Hidden));

    /// <summary>
    /// Bytes of scratch of the backward pass: the packed weight, a row of zeros, the gradients of h and c that go from step to
    /// step, the gates' gradients at the sequences' first steps, and a one for each row, whose product with the gates sums
    /// them.
    /// </summary>
    public long BackwardBytes =>
        sizeof(float) * (PackedBackward + Hidden + (2L * Batch * Hidden) + ((long)Batch * (Width + Hidden)) + Rows);

    /// <summary>Bytes of the gates of all steps.</summary>
    public long GateBytes => (long)Rows * Width * sizeof(float);

    /// <summary>Bytes that our own kernels leave for backward, or work in where none follows.</summary>
    public long SavedBytes(bool training) =>
        GateBytes + (training && KeepsMore ? (long)Rows * Hidden * sizeof(float) : 0);

    /// <summary>Floats of a matrix [rows, columns] in panels.</summary>
    public static long Packed(int rows, int columns) => columns == 0
        ? 0
        : ((columns + (long)PanelColumns - 1) / PanelColumns * PanelColumns * rows) + PanelSlack;
}
