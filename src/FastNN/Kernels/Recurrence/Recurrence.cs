using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>The tensors of a recurrent sequence.</summary>
/// <param name="X">[T, B, D].</param>
/// <param name="InputWeight">[D, G H].</param>
/// <param name="HiddenWeight">[H, G H].</param>
/// <param name="InputBias">[G H], or null; then the other is null as well.</param>
/// <param name="HiddenBias">[G H], or null.</param>
/// <param name="FirstState">h before the first step, [B, H], or null for zeros.</param>
/// <param name="FirstCell">c before the first step of an LSTM, likewise.</param>
/// <param name="Lengths">Int32 [B]: steps of each sequence, at the front of x; null where all have T.</param>
/// <param name="Y">h of every step, [T, B, H]; 0 behind a sequence's end.</param>
/// <param name="State">h behind the last step, [B, H].</param>
/// <param name="Cell">c behind the last step of an LSTM, [B, H].</param>
/// <param name="Saved">
/// <see cref="IPlanning.RecurrenceSavedBytes"/>: what forward leaves for backward, or works in where none follows; null where
/// that is nothing.
/// </param>
internal readonly record struct RecurrenceTensors(
    Tensor X, Tensor InputWeight, Tensor HiddenWeight, Tensor? InputBias, Tensor? HiddenBias, Tensor? FirstState,
    Tensor? FirstCell, Tensor? Lengths, Tensor Y, Tensor State, Tensor? Cell, Tensor? Saved)
{
    /// <summary>[T, B, G H] of our own kernels: forward leaves the gates there; backward turns them into their
    /// gradients.</summary>
    public nint Gates => Saved?.Address ?? 0;

    /// <summary>
    /// [T, B, H] behind them, of a training LSTM its c, of a GRU h's product with the new gate's weight; else 0.
    /// </summary>
    public nint Kept(RecurrenceGeometry geometry) =>
        Saved is not null && Saved.Bytes > geometry.GateBytes ? Saved.Address + (nint)geometry.GateBytes : 0;
}

/// <summary>A gradient to be written (=) or added to (+=); no tensor where it is not wanted.</summary>
internal readonly record struct WantedGradient(Tensor? Tensor, bool Accumulate);

/// <summary>The gradients of a recurrent sequence: those of its outputs, null where none arrives, and those of its
/// inputs.</summary>
internal readonly record struct RecurrenceGradients(
    Tensor? Y, Tensor? State, Tensor? Cell, WantedGradient X, WantedGradient InputWeight, WantedGradient HiddenWeight,
    WantedGradient InputBias, WantedGradient HiddenBias, WantedGradient FirstState, WantedGradient FirstCell);

internal partial interface IRecurrence
{
    /// <summary>y, h and c (=) of all steps. The product of all inputs is one; that of h is taken step by step.</summary>
    /// <param name="workspace"><see cref="IPlanning.RecurrenceWorkspaceBytes"/>.</param>
    void RecurrenceForward(RecurrenceGeometry geometry, in RecurrenceTensors tensors, Tensor workspace);

    /// <summary>
    /// Backpropagation through time: the gates' gradients step by step, in the place of the gates, then each weight's as one
    /// product over all steps. Gradients of later inputs come first.
    /// </summary>
    /// <param name="workspace"><see cref="IPlanning.RecurrenceWorkspaceBytes"/>.</param>
    void RecurrenceBackward(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients, Tensor workspace);
}
