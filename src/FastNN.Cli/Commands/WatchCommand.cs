using System.CommandLine;
using FastNN.Cli.Reports;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn watch DIR`</summary>
internal static class WatchCommand
{
    public static Command Create(CommandContext context)
    {
        var folder = new Argument<string>("folder")
        {
            Description = "The folder of a run (its --out), which may begin later.",
            HelpName = "DIR",
        };
        var port = new Option<int>("--port")
        {
            Description = "The port of the page; a free one by default.",
            HelpName = "P",
        };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65_535)
            {
                result.AddError("--port: expected a number from 1 to 65535, or 0 for a free one.");
            }
        });
        var command = new Command("watch", "Show a run in the browser while it trains, on a page of this machine alone.")
        {
            folder, port,
        };
        command.SetAction(result =>
        {
            string path = result.GetRequiredValue(folder);
            if (!Directory.Exists(path))
            {
                throw new CliException($"{path}: there is no such folder; begin a run with --out {path} first");
            }

            using var server = new WatchServer(path, result.GetValue(port));
            context.Output.WriteLine($"watching {path} at {server.Address} (Ctrl-C ends)");
            context.Output.Flush();
            server.Serve(context.Cancellation);
            return 0;
        });
        return command;
    }
}
