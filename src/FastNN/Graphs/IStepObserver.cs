namespace FastNN.Graphs;

/// <summary>Sees when steps of a pass begin and end.</summary>
internal interface IStepObserver
{
    /// <summary>Some steps ran, one after the other.</summary>
    /// <param name="steps">What they are; the same array each time that the same steps run.</param>
    /// <param name="times">When each began, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> has it, and when the last
    /// ended: one more than there are steps. Read before this returns.</param>
    void Ran(StepDescription[] steps, ReadOnlySpan<long> times);
}
