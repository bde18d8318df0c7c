/* What a call returns, and who is to blame when it fails. */
#ifndef CLUTCH_ABI_STATUS_H
#define CLUTCH_ABI_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Status of a call, int32_t: 0 done, positive pending (only where a function says so), negative failed. The list is
 * closed for one level: a reader treats a negative number it does not know as CLUTCH_ERR_INTERNAL.
 */
#define CLUTCH_OK 0
#define CLUTCH_PENDING 1

#define CLUTCH_ERR_ARGUMENT (-1)     /* An argument is wrong, or the call came in the wrong state. */
#define CLUTCH_ERR_UNSUPPORTED (-2)  /* Correctly asked, not served here. The message says why. */
#define CLUTCH_ERR_NOT_FOUND (-3)    /* A file, plugin, symbol or name does not exist. */
#define CLUTCH_ERR_CONFIG (-4)       /* A configuration value is not legal. */
#define CLUTCH_ERR_LOAD (-5)         /* A plugin, library or interpreter could not be brought up. */
#define CLUTCH_ERR_FUNCTION (-6)     /* The user's function could not be loaded or opened. */
#define CLUTCH_ERR_USER (-7)         /* The user's code raised. */
#define CLUTCH_ERR_VALUE (-8)        /* A value does not fit the type it must have. */
#define CLUTCH_ERR_DATA (-9)         /* A batch is malformed, or does not fit the agreed schema. */
#define CLUTCH_ERR_DEADLINE (-10)    /* Not done in time. */
#define CLUTCH_ERR_CANCELLED (-11)   /* Stopped because the host asked. */
#define CLUTCH_ERR_WORKER_LOST (-12) /* The process that ran the function ended. */
#define CLUTCH_ERR_PROTOCOL (-13)    /* The other side broke the contract. */
#define CLUTCH_ERR_MEMORY (-14)      /* No memory, or a memory limit was reached. */
#define CLUTCH_ERR_STALE (-15)       /* A handle is used after the call or batch it belonged to. */
#define CLUTCH_ERR_CLOSED (-16)      /* The function or runtime is closed, or broken for good. */
#define CLUTCH_ERR_INTERNAL (-17)    /* A bug on the side that reports it. */

/* Who caused an error. */
#define CLUTCH_ORIGIN_UNKNOWN 0
#define CLUTCH_ORIGIN_USER 1      /* The user's code or data. */
#define CLUTCH_ORIGIN_CONFIG 2    /* Configuration, manifest, environment. */
#define CLUTCH_ORIGIN_PLUGIN 3    /* The plugin misbehaved. */
#define CLUTCH_ORIGIN_HOST 4      /* The host misbehaved. */
#define CLUTCH_ORIGIN_TRANSPORT 5 /* A worker, or the way to it, was lost. */

/* Keys of error details. Values are UTF-8 text; numbers are decimal. A detail that does not apply is absent. */
#define CLUTCH_DETAIL_FUNCTION "function"             /* Name of the function (or of the step of a chain). */
#define CLUTCH_DETAIL_STEP "step"                     /* Index of the step in its chain. */
#define CLUTCH_DETAIL_BATCH "batch"                   /* Sequence number of the batch. */
#define CLUTCH_DETAIL_ROW "row"                       /* Index of the row in the batch's input. */
#define CLUTCH_DETAIL_COLUMN "column"                 /* Path of the column or nested field, "a.b[]". */
#define CLUTCH_DETAIL_VALUE "value"                   /* repr of the value, cut to 200 characters. */
#define CLUTCH_DETAIL_EXCEPTION_TYPE "exception.type" /* "module.QualName" ("ValueError" for builtins). */
#define CLUTCH_DETAIL_EXCEPTION_TEXT "exception.text" /* str(exception). */
#define CLUTCH_DETAIL_TRACEBACK "traceback"           /* As Python prints it, with causes, user frames only. */
#define CLUTCH_DETAIL_FRAMES "frames"                 /* Innermost last, a line each: file:line:function. */
#define CLUTCH_DETAIL_STAGE "stage"                   /* What noticed a deadline: row, interrupt, kill. */
#define CLUTCH_DETAIL_SIGNAL "signal"                 /* Name of the signal that ended a worker. */
#define CLUTCH_DETAIL_EXIT_CODE "exit_code"           /* Exit code of a worker that ended by itself. */
#define CLUTCH_DETAIL_ATTEMPTS "attempts"             /* How often the batch was tried. */
#define CLUTCH_DETAIL_WORKER_LOG "worker.log"         /* Last lines a lost worker printed. */
#define CLUTCH_DETAIL_PYTHON_STACK "python.stack"     /* Stack of a lost or stopped worker. */

#ifdef __cplusplus
}
#endif

#endif
