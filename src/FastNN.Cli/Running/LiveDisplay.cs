using Spectre.Console;

namespace FastNN.Cli.Running;

/// <summary>Progress for people: a bar per epoch with loss, accuracy and speed, below the lines of the epochs done.</summary>
internal sealed class LiveDisplay(RunSettings settings, IAnsiConsole console) : Display(settings, TimeSpan.FromMilliseconds(100))
{
    private ProgressTask? _task;

    public override void Line(string text) => console.WriteLine(text);

    public override void Around(Action training)
    {
        console.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                _task = context.AddTask("first step: planning", maxValue: 1);
                training();
            });
        _task = null;
    }

    public override void OnEpochBegin(Trainer trainer, int epoch)
    {
        base.OnEpochBegin(trainer, epoch);
        _task?.Value(0);
    }

    protected override void Show(in BatchResult result, string text)
    {
        if (_task is { } task)
        {
            // A bar that stood at its end would be finished, and finished tasks move no more.
            task.MaxValue = result.Batches + 1;
            task.Value = result.Batch + 1;
            task.Description = text;
        }
    }
}
