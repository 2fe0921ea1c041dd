using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Recurrent sequences. The inputs' product is one over all steps, or over some at a time where the gates are not kept, and lies
/// in the gates; in the loop over steps h's product is added to it, and the gates follow row by row, in the first-level cache.
/// Sequences of a batch do not know of each other, so a task takes some of them through all steps, and threads meet once per
/// pass. A row's sums do not depend on the rows beside it: any number of threads gives the same bits.
/// </summary>
internal sealed unsafe partial class CpuRecurrence
{
    /// <summary>Sequences of a task at least: fewer rows leave a tile's registers empty.</summary>
    private const int LeastRows = 4;

    /// <summary>Rows of gates that a task computes at a time, where it does not keep them.</summary>
    private const int ChunkRows = 96;

    public void RecurrenceForward(RecurrenceGeometry geometry, in RecurrenceTensors tensors, Tensor workspace)
    {
        (int rows, int width, int hidden) = (geometry.Rows, geometry.Width, geometry.Hidden);
        int rowsPerTask = RowsPerTask(geometry.Batch), chunk = StepsPerChunk(geometry, tensors, rowsPerTask);
        if (chunk == 0)
        {
            Gemm.Run(
                Pool, tensors.InputWeight.Frozen, rows, width, geometry.Inputs, Floats(tensors.X), geometry.Inputs,
                Floats(tensors.InputWeight), width, (float*)tensors.Gates, width, new Epilogue(Floats(tensors.InputBias)));
        }

        var form = new PackedStates(geometry);
        FrozenValues? frozen = tensors.HiddenWeight.Frozen;
        float* free = Floats(workspace) + geometry.PackedForward;
        float* panels = frozen is null ? Floats(workspace) : frozen.In(form, new PoolLoader(Pool), Floats(tensors.HiddenWeight));
        float* later = panels + RecurrenceGeometry.Packed(hidden, geometry.Joined);
        Begin(tensors.FirstState, Floats(tensors.State), geometry);
        if (geometry.Steps == 1)
        {
            SingleStep(geometry, tensors, free);
        }
        else if (frozen is null)
        {
            form.Fill(Floats(tensors.HiddenWeight), panels);
        }

        if (tensors.Cell is { } cell)
        {
            Begin(tensors.FirstCell, Floats(cell), geometry);
        }

        if (geometry is { Batch: 1, Steps: > 1, Hidden: >= SequenceUnits })
        {
            Sequence(geometry, tensors, panels, later, free);
            return;
        }

        var body = new ForwardBody(Pool, geometry, tensors, panels, later, free, rowsPerTask, chunk);
        Pool.Run(body.Tasks, ref body);
    }

    /// <summary>
    /// Steps whose gates a task computes before it takes them, where nobody reads them later and the weights are packed already:
    /// so many that the inputs fill some tiles and the gates stay in the second level. 0 where all steps' gates are computed
    /// first, and go to memory and back.
    /// </summary>
    private static int StepsPerChunk(RecurrenceGeometry geometry, in RecurrenceTensors tensors, int rowsPerTask)
    {
        bool areRead = !geometry.KeepsMore || tensors.Kept(geometry) != 0 || tensors.InputWeight.Frozen is null
            || tensors.HiddenWeight.Frozen is null;
        if (areRead || geometry.Steps == 1 || geometry.Batch == 1)
        {
            return 0;
        }

        int rows = Math.Min(rowsPerTask, geometry.Batch), steps = Math.Min(geometry.Steps, (ChunkRows + rows - 1) / rows);
        long bytes = (long)rows * steps * (geometry.Width + geometry.Inputs) * sizeof(float);
        return bytes <= WorkerPool.ScratchBytes ? steps : 0;
    }

    public void RecurrenceBackward(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients, Tensor workspace)
    {
        (int width, int hidden, int joined) = (geometry.Width, geometry.Hidden, geometry.Joined);
        nint states = (nint)geometry.Batch * hidden;
        float* panels = Floats(workspace), later = panels + RecurrenceGeometry.Packed(joined, hidden);
        float* zeros = panels + geometry.PackedBackward, dState = zeros + hidden, dCell = dState + states;
        float* first = dCell + states, ones = first + ((nint)geometry.Batch * (width + hidden));
        float* weight = Floats(tensors.HiddenWeight);
        RecurrentProduct.Pack(weight, width, hidden, joined, transposed: true, panels);
        RecurrentProduct.Pack(weight + joined, width, hidden, width - joined, transposed: true, later);
        new Span<float>(zeros, hidden).Clear();
        Begin(gradients.State, dState, geometry);
        Begin(gradients.Cell, dCell, geometry);
        var body = new BackwardBody(
            geometry, tensors, gradients, panels, later, zeros, dState, dCell, RowsPerTask(geometry.Batch));
        Pool.Run(body.Tasks, ref body);

        End(dCell, gradients.FirstCell);
        End(dState, gradients.FirstState);
        Biases(geometry, tensors, gradients, ones);
        if (gradients.HiddenWeight.Tensor is { } dHidden)
        {
            HiddenWeight(geometry, tensors, Floats(dHidden), gradients.HiddenWeight.Accumulate, first);
        }

        (int rows, int inputs) = (geometry.Rows, geometry.Inputs);
        float* dGates = (float*)tensors.Gates;
        if (gradients.InputWeight is { Tensor: { } dInput } wanted)
        {
            Epilogue epilogue = wanted.Accumulate ? Epilogue.Add : Epilogue.Store;
            Gemm.Run(
                Pool, true, false, inputs, width, rows, Floats(tensors.X), inputs, dGates, width, Floats(dInput), width,
                epilogue);
        }

        if (gradients.X is { Tensor: { } dX } asked)
        {
            Epilogue epilogue = asked.Accumulate ? Epilogue.Add : Epilogue.Store;
            Gemm.Run(
                Pool, false, true, rows, inputs, width, dGates, width, Floats(tensors.InputWeight), width, Floats(dX), inputs,
                epilogue);
        }
    }

    /// <summary>
    /// h's products of one step alone, which would use a packed weight once: threads share its columns, not the sequences.
    /// </summary>
    private void SingleStep(RecurrenceGeometry geometry, in RecurrenceTensors tensors, float* slab)
    {
        (int width, int hidden, int joined) = (geometry.Width, geometry.Hidden, geometry.Joined);
        float* h = Floats(tensors.State), weight = Floats(tensors.HiddenWeight), bias = Floats(tensors.HiddenBias);
        float* kept = (float*)tensors.Kept(geometry);
        int depth = tensors.FirstState is null ? 0 : hidden;
        Gemm.Run(
            Pool, false, false, geometry.Batch, joined, depth, h, hidden, weight, width, (float*)tensors.Gates, width,
            new Epilogue(bias, accumulate: true));
        Gemm.Run(
            Pool, false, false, geometry.Batch, width - joined, depth, h, hidden, weight + joined, width,
            kept == null ? slab : kept, hidden, new Epilogue(bias == null ? null : bias + joined));
    }

    /// <summary>The states' weight in panels, as forward reads it.</summary>
    private readonly struct PackedStates(RecurrenceGeometry geometry) : IFrozenForm
    {
        public FrozenKey Key => new("recurrence", geometry.Hidden, geometry.Width);

        public long Floats => geometry.PackedForward;

        public void Fill(float* weight, float* target)
        {
            (int width, int hidden, int joined) = (geometry.Width, geometry.Hidden, geometry.Joined);
            RecurrentProduct.Pack(weight, width, joined, hidden, transposed: false, target);
            float* later = target + RecurrenceGeometry.Packed(hidden, joined);
            RecurrentProduct.Pack(weight + joined, width, width - joined, hidden, transposed: false, later);
        }
    }

    private int RowsPerTask(int batch)
    {
        int even = (batch + Threads - 1) / Threads;
        return Math.Max(1, (even + LeastRows - 1) / LeastRows * LeastRows);
    }

    /// <summary>A copy of what is there before the first step, or zeros.</summary>
    private static void Begin(Tensor? source, float* destination, RecurrenceGeometry geometry)
    {
        long bytes = (long)geometry.Batch * geometry.Hidden * sizeof(float);
        if (source is null)
        {
            System.Runtime.InteropServices.NativeMemory.Clear(destination, (nuint)bytes);
        }
        else
        {
            Buffer.MemoryCopy(Floats(source), destination, bytes, bytes);
        }
    }

    private void End(float* source, WantedGradient gradient)
    {
        if (gradient.Tensor is not { } target)
        {
            return;
        }

        if (gradient.Accumulate)
        {
            ElementLoop.Run(Pool, target.Count, new UnaryMap<Identity, Accumulate>(source, Floats(target), default));
        }
        else
        {
            Buffer.MemoryCopy(source, Floats(target), target.Bytes, target.Bytes);
        }
    }

    /// <summary>
    /// Column sums of the gates' gradients, as products with a row of ones. Both biases of RNN and LSTM have the same; that of
    /// a GRU's new gate differs behind the reset gate.
    /// </summary>
    private void Biases(RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients, float* ones)
    {
        if (gradients.HiddenBias.Tensor is null && gradients.InputBias.Tensor is null)
        {
            return;
        }

        new Span<float>(ones, geometry.Rows).Fill(1);
        int joined = geometry.Joined;
        if (gradients.HiddenBias.Tensor is { } dHidden)
        {
            SumRows((float*)tensors.Gates, geometry.Width, joined, Floats(dHidden), gradients.HiddenBias.Accumulate);
            if (joined < geometry.Width)
            {
                SumRows(
                    (float*)tensors.Kept(geometry), geometry.Hidden, geometry.Hidden, Floats(dHidden) + joined,
                    gradients.HiddenBias.Accumulate);
            }
        }

        if (gradients.InputBias.Tensor is { } dInput)
        {
            SumRows((float*)tensors.Gates, geometry.Width, geometry.Width, Floats(dInput), gradients.InputBias.Accumulate);
        }

        void SumRows(float* rows, int stride, int columns, float* sums, bool accumulate) => Gemm.Run(
            Pool, false, false, 1, columns, geometry.Rows, ones, geometry.Rows, rows, stride, sums, columns,
            accumulate ? Epilogue.Add : Epilogue.Store);
    }

    /// <summary>
    /// h before each step, transposed, times the gates' gradients: y of the step before it, one product over all steps, and
    /// where there is one the first state.
    /// </summary>
    private void HiddenWeight(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, float* dWeight, bool accumulate, float* first)
    {
        (int width, int hidden, int joined) = (geometry.Width, geometry.Hidden, geometry.Joined);
        float* dGates = (float*)tensors.Gates, dNew = (float*)tensors.Kept(geometry), y = Floats(tensors.Y);
        int rows = geometry.Rows - geometry.Batch;
        if (rows > 0)
        {
            nint from = geometry.IsReverse ? geometry.Batch : 0, to = geometry.Batch - from;
            Product(rows, y + (from * hidden), dGates + (to * width), dNew + (to * hidden), accumulate);
            accumulate = true;
        }

        if (tensors.FirstState is { } state)
        {
            FirstSteps(geometry, tensors, ref dGates, ref dNew, first);
            Product(geometry.Batch, Floats(state), dGates, dNew, accumulate);
            accumulate = true;
        }

        if (!accumulate)
        {
            new Span<float>(dWeight, Tensor.Index((long)hidden * width)).Clear();
        }

        void Product(int count, float* h, float* gates, float* products, bool add)
        {
            Epilogue epilogue = add ? Epilogue.Add : Epilogue.Store;
            Gemm.Run(Pool, true, false, hidden, joined, count, h, hidden, gates, width, dWeight, width, epilogue);
            if (joined < width)
            {
                Gemm.Run(
                    Pool, true, false, hidden, hidden, count, h, hidden, products, hidden, dWeight + joined, width, epilogue);
            }
        }
    }

    /// <summary>The gates' gradients at the steps that h began with: those of one time, or of each sequence's end.</summary>
    private static void FirstSteps(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, ref float* dGates, ref float* dNew, float* first)
    {
        (int width, int hidden, nint batch) = (geometry.Width, geometry.Hidden, geometry.Batch);
        nint step = geometry.Time(0) * batch;
        if (!geometry.IsReverse || tensors.Lengths is null)
        {
            dGates += step * width;
            dNew += step * hidden;
            return;
        }

        float* products = first + (batch * width);
        for (int b = 0; b < geometry.Batch; b++)
        {
            nint row = ((((int*)tensors.Lengths.Address)[b] - 1) * batch) + b;
            bool any = row >= 0;
            Gather(any ? dGates + (row * width) : null, first + (b * (nint)width), width);
            if (geometry.Cell == RecurrentCell.Gru)
            {
                Gather(any ? dNew + (row * hidden) : null, products + (b * (nint)hidden), hidden);
            }
        }

        dGates = first;
        dNew = products;

        static void Gather(float* source, float* destination, int count)
        {
            var target = new Span<float>(destination, count);
            if (source == null)
            {
                target.Clear();
            }
            else
            {
                new ReadOnlySpan<float>(source, count).CopyTo(target);
            }
        }
    }
}
