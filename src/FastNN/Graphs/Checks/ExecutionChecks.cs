using System.Globalization;
using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Graphs.Checks;

/// <summary>
/// Runs a bound plan in debug mode. When it is made, the plan is held against itself: what a pass is handed is alive then, and
/// what it writes overlaps nothing that it reads but where the operator allows it. In every run, each node's tensors lie in live
/// blocks of the device, and memory holds NaN but for what the plan says that it holds: the arena when a run begins, a buffer
/// once its last step is over, and gradients that will be written.
/// </summary>
internal sealed class ExecutionChecks
{
    private readonly IDevice _device;
    private readonly (nint Address, long Bytes)[] _fresh;
    private readonly CheckedPass[] _forward;
    private readonly CheckedPass[] _backward;
    private readonly (nint Address, long Bytes)[] _parameterGradients;

    /// <param name="device">Where the plan runs.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="arena">Where its arena begins.</param>
    /// <param name="tensorsOf">A node's tensors.</param>
    /// <exception cref="InvalidOperationException">The plan contradicts itself.</exception>
    public ExecutionChecks(IDevice device, Plan plan, nint arena, Func<PlannedNode, NodeTensors> tensorsOf)
    {
        _device = device;
        PlanCheck.RequireDisjoint(plan.Buffers);
        ILookup<int,
        Buffer> dying = plan.Buffers.Where(buffer => buffer.Bytes > 0).ToLookup(buffer => Math.Max(buffer.Last, buffer.First));
        (nint Address, long Bytes)[] Dying(int step) =>
            [.. dying[step].Select(buffer => (arena + (nint)buffer.Offset, buffer.Bytes))];

        _forward = new CheckedPass[plan.Nodes.Count];
        _backward = new CheckedPass[plan.Backward.Count];
        for (int i = 0; i < _forward.Length; i++)
        {
            PlannedNode node = plan.Nodes[i];
            _forward[i] = new CheckedPass(
                $"{node.Op.Name} forward (node {i})", !node.Op.IsView,
                node.Op.IsView ? [] : ForwardAccesses(node, tensorsOf(node)), Dying(i));
            Check(_forward[i], node, i);
        }

        for (int i = 0; i < _backward.Length; i++)
        {
            (PlannedNode node, int step, PassKind kind) = plan.Backward[i];
            bool isAgain = kind == PassKind.Again;
            bool runs = isAgain ? !node.Op.IsView : kind == PassKind.Backward;
            _backward[i] = new CheckedPass(
                $"{node.Op.Name} {(isAgain ? "forward again" : "backward")} (step {step})", runs,
                !runs ? [] : isAgain ? ForwardAccesses(node, tensorsOf(node)) : BackwardAccesses(node, tensorsOf(node)),
                Dying(step));
            Check(_backward[i], node, step);
        }

        _fresh = Fresh(plan, arena);
        _parameterGradients =
        [
            .. _backward.SelectMany(pass => pass.Accesses).Where(
                access => access.Planned.Place.Kind == PlaceKind.ParameterGradient)
                .Select(access => (access.Tensor.Address, access.Tensor.Bytes)).Distinct(),
        ];
    }

    /// <summary>Runs the forward passes.</summary>
    /// <param name="nodes">All nodes but views, in order.</param>
    public void Forward(ReadOnlySpan<(Operator Op, NodeTensors Tensors)> nodes)
    {
        Poison(_fresh);
        int next = 0;
        foreach (CheckedPass pass in _forward)
        {
            if (pass.Runs)
            {
                Require(pass);
                nodes[next].Op.Forward(_device, nodes[next].Tensors);
                next++;
            }

            Poison(pass.Dying);
        }
    }

    /// <summary>Runs the backward passes.</summary>
    /// <param name="nodes">The nodes that have one, the last first.</param>
    /// <param name="accumulate">Whether the parameters' gradients hold something that is added to.</param>
    public void Backward(ReadOnlySpan<(Operator Op, NodeTensors Tensors)> nodes, bool accumulate)
    {
        if (!accumulate)
        {
            Poison(_parameterGradients);
        }

        int next = 0;
        for (int i = 0; i < _backward.Length; i++)
        {
            if (_backward[i].Runs)
            {
                Require(_backward[i]);
                nodes[next].Op.Backward(_device, nodes[next].Tensors);
                next++;
            }

            Poison(_backward[i].Dying);
        }
    }

    private static TensorAccess[] ForwardAccesses(PlannedNode node, NodeTensors tensors)
    {
        var accesses = new List<TensorAccess>();
        Add(accesses, TensorRole.Input, node.Inputs, tensors.Inputs, writes: false);
        Add(accesses, TensorRole.Output, node.Outputs, tensors.Outputs, writes: true);
        Add(accesses, TensorRole.Saved, node.SavedTensors, tensors.SavedTensors, writes: true);
        Add(accesses, TensorRole.Saved, node.SavedTensors.Length, node.Saved, tensors.Saved, writes: true);
        Add(accesses, TensorRole.Workspace, 0, node.ForwardWorkspace, tensors.ForwardWorkspace, writes: true);
        return [.. accesses];
    }

    private static TensorAccess[] BackwardAccesses(PlannedNode node, NodeTensors tensors)
    {
        // Where an operator does not say that it reads an input or output, the plan may have given its place away.
        bool[] wanted = Array.ConvertAll(node.InputGradients, gradient => gradient is not null);
        var accesses = new List<TensorAccess>();
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            Add(
                accesses, TensorRole.Input, i, node.Op.BackwardReadsInput(i, wanted) ? node.Inputs[i] : null, tensors.Inputs[i],
                writes: false);
            Add(accesses, TensorRole.InputGradient, i, node.InputGradients[i], tensors.InputGradients[i], writes: true);
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            Add(
                accesses, TensorRole.Output, i, node.Op.BackwardReadsOutput(i, wanted) ? node.Outputs[i] : null,
                tensors.Outputs[i], writes: false);
            Add(accesses, TensorRole.OutputGradient, i, node.OutputGradients[i], tensors.OutputGradients[i], writes: true);
        }

        Add(accesses, TensorRole.Saved, node.SavedTensors, tensors.SavedTensors, writes: true);
        Add(accesses, TensorRole.Saved, node.SavedTensors.Length, node.Saved, tensors.Saved, writes: true);
        Add(accesses, TensorRole.Workspace, node.BackwardScratch, tensors.BackwardScratch, writes: true);
        Add(
            accesses, TensorRole.Workspace, node.BackwardScratch.Length, node.BackwardWorkspace, tensors.BackwardWorkspace,
            writes: true);
        return [.. accesses];
    }

    private static void Add(List<TensorAccess> accesses, TensorRole role, PlannedTensor[] planned, Tensor[] tensors, bool writes)
    {
        for (int i = 0; i < planned.Length; i++)
        {
            accesses.Add(new TensorAccess(role, i, planned[i], tensors[i], writes));
        }
    }

    private static void Add(
        List<TensorAccess> accesses, TensorRole role, int index, PlannedTensor? planned, Tensor? tensor, bool writes)
    {
        if (planned is { } place)
        {
            accesses.Add(new TensorAccess(role, index, place, tensor!, writes));
        }
    }

    /// <summary>What a plan gets wrong before anything runs.</summary>
    private static void Check(CheckedPass pass, PlannedNode node, int step)
    {
        for (int i = 0; i < pass.Accesses.Length; i++)
        {
            TensorAccess access = pass.Accesses[i];
            PlanCheck.RequireAlive(access, step, pass.What);
            for (int j = 0; j < i; j++)
            {
                TensorAccess other = pass.Accesses[j];
                if ((access.Writes || other.Writes) && access.Overlaps(other) && !MayShare(node, access, other)
                    && !MayShare(node, other, access))
                {
                    throw new InvalidOperationException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{DebugChecks.Variable}: {pass.What}: {access}, overlaps {other}, and the operator does not allow it."));
                }
            }
        }
    }

    /// <summary>Whether the first may take the place of the second.</summary>
    private static bool MayShare(PlannedNode node, TensorAccess first, TensorAccess second) =>
        first.Equals(second.Tensor) && (first.Role, second.Role) switch
        {
            (TensorRole.Output, TensorRole.Input) => first.Index == 0 && node.Op.ForwardInPlace(node.Types, second.Index),
            (TensorRole.InputGradient, TensorRole.OutputGradient) =>
                second.Index == node.Op.InPlaceOutput
                && (node.Op.IsView || node.Op.BackwardInPlace(node.Types, first.Index)),

            // One value that is several inputs has one gradient.
            (TensorRole.InputGradient, TensorRole.InputGradient) =>
                node.InputGradients[first.Index] == node.InputGradients[second.Index],
            _ => false,
        };

    /// <summary>The arena without the graph's inputs, which are written before a run begins.</summary>
    private static (nint Address, long Bytes)[] Fresh(Plan plan, nint arena)
    {
        var fresh = new List<(nint, long)>();
        long at = 0;
        IEnumerable<Buffer> inputs = plan.Values.Where(pair => pair.Key.Kind == ValueKind.Input).Select(
            pair => pair.Value.Place.Buffer!).OrderBy(buffer => buffer.Offset);
        foreach (Buffer input in inputs)
        {
            if (input.Offset > at)
            {
                fresh.Add((arena + (nint)at, input.Offset - at));
            }

            at = Math.Max(at, input.Offset + input.Bytes);
        }

        if (plan.PeakBytes > at)
        {
            fresh.Add((arena + (nint)at, plan.PeakBytes - at));
        }

        return [.. fresh];
    }

    private void Require(CheckedPass pass)
    {
        foreach (TensorAccess access in pass.Accesses)
        {
            access.Require(_device, pass.What);
        }
    }

    private void Poison((nint Address, long Bytes)[] ranges)
    {
        foreach ((nint address, long bytes) in ranges)
        {
            _device.Poison(address, bytes);
        }
    }

    /// <summary>A node's forward or backward pass.</summary>
    /// <param name="What">The operator and the pass, for messages.</param>
    /// <param name="Runs">Whether there is one.</param>
    /// <param name="Accesses">What it may follow.</param>
    /// <param name="Dying">What holds nothing any more when it is over.</param>
    private sealed record CheckedPass(string What, bool Runs, TensorAccess[] Accesses, (nint Address, long Bytes)[] Dying);
}
