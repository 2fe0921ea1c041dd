namespace FastNN.Graphs;

/// <summary>Sees when each step of a forward pass begins and ends.</summary>
internal interface IStepObserver
{
    /// <summary>A step is over.</summary>
    /// <param name="plan">Whose.</param>
    /// <param name="step">Its number among the plan's nodes that are no views.</param>
    /// <param name="from">When it began, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> has it.</param>
    /// <param name="to">When it ended.</param>
    void Ran(Plan plan, int step, long from, long to);
}
