namespace FastNN.Hosting;

/// <summary>
/// Where a call stands in a <see cref="BatchQueue"/>: the queue's own fields of it, under the queue's lock while it waits.
/// </summary>
internal sealed class QueuePlace
{
    /// <summary>When it came, in the clock's timestamps.</summary>
    public long Arrival;

    /// <summary>Its place in the order: calls with less go first, and equal ones as they came.</summary>
    public long Order;

    /// <summary>When its answer must be there: its deadline or what the objective allows, whichever is first.</summary>
    public long Latest;

    /// <summary>Its rows, asked for once.</summary>
    public int Rows;

    /// <summary>Whether it is in the queue's list.</summary>
    public bool IsWaiting;

    public QueuedCall? Previous;

    public QueuedCall? Next;

    /// <summary>The queue that it is in.</summary>
    public BatchQueue? Queue;

    /// <summary>Who may cancel it.</summary>
    public CancellationToken Cancellation;

    /// <summary>What has the queue told of its cancellation.</summary>
    public CancellationTokenRegistration Registration;
}
