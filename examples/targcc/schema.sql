-- A small shop as a team has it that comes from the TARGCC TaskManager: tables, data, procedures, and the rows of
-- c_Job that call them. For an empty database on MySQL 8.0 or MariaDB 10.6 and newer:
--
--     mysql targcc < schema.sql        or        python -m examples.targcc.load mysql://user:password@host/targcc
--
-- Days are counted back from today, so that there is something to do whenever it is loaded.

SET NAMES utf8mb4;

-- ---------------------------------------------------------------------------------------------------------------
-- The tables of the TaskManager. The first statement fails, and nothing is changed, where there is a c_Job already.
-- c_LoggedJob and what else the worker needs it makes itself when it starts.

CREATE TABLE c_Job (
    ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    JobName VARCHAR(100),
    CronExpression VARCHAR(50),
    StoredProcName VARCHAR(100),
    IsActive TINYINT(1),
    LastRun DATETIME,
    NextRun DATETIME,
    LastResult LONGTEXT,
    FailureCount INT,
    EmailOnFailure TINYINT(1),
    KEY IX_c_Job_JobName (JobName)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE c_JobAlert (
    ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    JobName VARCHAR(100) NOT NULL,
    AlertOnFailure TINYINT(1) NOT NULL DEFAULT 1,
    AlertOnSuccess TINYINT(1) NOT NULL DEFAULT 0,
    AlertOnDurationExceeds INT,
    EmailRecipients VARCHAR(500),
    SlackWebhook VARCHAR(500),
    TeamsWebhook VARCHAR(500),
    MaxAlertsPerHour INT,
    LastAlertSent DATETIME,
    UNIQUE KEY UQ_c_JobAlert_JobName (JobName)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE c_JobAlertRecipient (
    ID BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    c_JobID BIGINT,
    c_UserID BIGINT,
    enmJobAlertType VARCHAR(50),
    OverrideName VARCHAR(50),
    OverrideEmailOrPhone VARCHAR(50),
    AddedBy VARCHAR(50) NOT NULL DEFAULT '',
    AddedOn DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ChangedBy VARCHAR(50),
    ChangedOn DATETIME,
    DeletedBy VARCHAR(50),
    DeletedOn DATETIME,
    UpdatingLoginID BIGINT,
    KEY IX_c_JobAlertRecipient_c_JobID (c_JobID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE c_SystemDefault (
    ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `Group` VARCHAR(50) NOT NULL,
    SettingName VARCHAR(50) NOT NULL,
    spt_SettingValue VARCHAR(500),
    UNIQUE KEY UQ_c_SystemDefault (`Group`, SettingName)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE c_LoggedLogin (
    ID BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    UserName VARCHAR(50) NOT NULL,
    LoggedOn DATETIME NOT NULL,
    KEY IX_c_LoggedLogin_LoggedOn (LoggedOn)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- ---------------------------------------------------------------------------------------------------------------
-- The tables of the shop.

CREATE TABLE Customer (
    ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    Name VARCHAR(100) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE Product (
    Code VARCHAR(20) NOT NULL PRIMARY KEY,
    Name VARCHAR(100) NOT NULL,
    Price DECIMAL(10, 2) NOT NULL,
    Stock INT NOT NULL DEFAULT 0,
    MinStock INT NOT NULL DEFAULT 0,
    SyncedOn DATETIME
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What another program leaves here for the hourly sync.
CREATE TABLE SupplierPrice (
    Code VARCHAR(20) NOT NULL PRIMARY KEY,
    Name VARCHAR(100) NOT NULL,
    Price DECIMAL(10, 2) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE SalesOrder (
    ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    CustomerID INT NOT NULL,
    OrderedOn DATETIME NOT NULL,
    Amount DECIMAL(10, 2) NOT NULL,
    enmOrderStatus VARCHAR(50) NOT NULL DEFAULT 'New',
    KEY IX_SalesOrder_OrderedOn (OrderedOn),
    KEY IX_SalesOrder_OrderStatus (enmOrderStatus),
    CONSTRAINT FK_SalesOrder_Customer FOREIGN KEY (CustomerID) REFERENCES Customer (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE Invoice (
    ID INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    SalesOrderID INT NOT NULL,
    Amount DECIMAL(10, 2) NOT NULL,
    InvoicedOn DATE NOT NULL,
    DueOn DATE NOT NULL,
    UNIQUE KEY UQ_Invoice_SalesOrder (SalesOrderID),
    CONSTRAINT FK_Invoice_SalesOrder FOREIGN KEY (SalesOrderID) REFERENCES SalesOrder (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE SalesReport (
    ReportDay DATE NOT NULL PRIMARY KEY,
    OrderCount INT NOT NULL,
    Amount DECIMAL(12, 2) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Written by the Python job beside the rows, jobs.py.
CREATE TABLE SalesForecast (
    ForecastDay DATE NOT NULL PRIMARY KEY,
    Amount DECIMAL(12, 2) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- ---------------------------------------------------------------------------------------------------------------
-- A little data.

INSERT INTO c_SystemDefault (`Group`, SettingName, spt_SettingValue) VALUES ('Maintenance', 'DaysToKeep', '30');

INSERT INTO c_LoggedLogin (UserName, LoggedOn) VALUES
    ('dana', NOW() - INTERVAL 400 DAY), ('oren', NOW() - INTERVAL 90 DAY), ('dana', NOW() - INTERVAL 31 DAY),
    ('oren', NOW() - INTERVAL 29 DAY), ('dana', NOW() - INTERVAL 1 HOUR);

INSERT INTO Customer (ID, Name) VALUES (1, 'מאפיית הגליל'), (2, 'Café Müller'), (3, 'Northwind; Traders');

INSERT INTO Product (Code, Name, Price, Stock, MinStock) VALUES
    ('FLOUR-25', 'Flour, 25 kg', 18.50, 120, 20), ('SUGAR-10', 'Sugar, 10 kg', 9.90, 60, 20),
    ('YEAST-1', 'Yeast, 1 kg', 4.20, 35, 10);

INSERT INTO SupplierPrice (Code, Name, Price) VALUES
    ('FLOUR-25', 'Flour, 25 kg', 19.10), ('SUGAR-10', 'Sugar, 10 kg', 9.90), ('SALT-5', 'Salt, 5 kg', 3.30);

INSERT INTO SalesOrder (CustomerID, OrderedOn, Amount, enmOrderStatus) VALUES
    (1, CURRENT_DATE - INTERVAL 5 DAY + INTERVAL 10 HOUR, 100.00, 'Invoiced'),
    (2, CURRENT_DATE - INTERVAL 4 DAY + INTERVAL 11 HOUR, 200.00, 'Invoiced'),
    (1, CURRENT_DATE - INTERVAL 3 DAY + INTERVAL 9 HOUR, 300.00, 'Shipped'),
    (3, CURRENT_DATE - INTERVAL 2 DAY + INTERVAL 16 HOUR, 400.00, 'Shipped'),
    (2, CURRENT_DATE - INTERVAL 1 DAY + INTERVAL 8 HOUR, 180.50, 'Shipped'),
    (3, CURRENT_DATE - INTERVAL 1 DAY + INTERVAL 12 HOUR, 219.50, 'New'),
    (1, CURRENT_DATE - INTERVAL 1 DAY + INTERVAL 15 HOUR, 100.00, 'New');

INSERT INTO Invoice (SalesOrderID, Amount, InvoicedOn, DueOn)
SELECT ID, Amount, CURRENT_DATE - INTERVAL 3 DAY, CURRENT_DATE + INTERVAL 27 DAY
FROM SalesOrder WHERE enmOrderStatus = 'Invoiced';

-- ---------------------------------------------------------------------------------------------------------------
-- The procedures. What one selects first is its LastResult.

DELIMITER //

-- Sums up yesterday. May be run again: the day's row is replaced.
CREATE PROCEDURE SP_GenerateSalesReport()
BEGIN
    DECLARE reported DATE DEFAULT CURRENT_DATE - INTERVAL 1 DAY;

    REPLACE INTO SalesReport (ReportDay, OrderCount, Amount)
    SELECT reported, COUNT(*), COALESCE(SUM(Amount), 0)
    FROM SalesOrder WHERE OrderedOn >= reported AND OrderedOn < reported + INTERVAL 1 DAY;

    SELECT CONCAT(OrderCount, ' orders, ', Amount) FROM SalesReport WHERE ReportDay = reported;
END//

-- Removes old log lines, a thousand at a time, so that nobody waits for a lock.
CREATE PROCEDURE SP_CleanupLogs()
BEGIN
    DECLARE days, removed INT DEFAULT 0;
    DECLARE batch INT DEFAULT 1000;

    SELECT CAST(spt_SettingValue AS UNSIGNED) INTO days
    FROM c_SystemDefault WHERE `Group` = 'Maintenance' AND SettingName = 'DaysToKeep';

    WHILE batch = 1000 DO
        DELETE FROM c_LoggedLogin WHERE LoggedOn < NOW() - INTERVAL days DAY LIMIT 1000;
        SET batch = ROW_COUNT();
        SET removed = removed + batch;
    END WHILE;

    SELECT CONCAT(removed, ' log lines removed');
END//

-- Invoices what was shipped: all of it, or nothing when something goes wrong.
CREATE PROCEDURE SP_RunInvoiceBatch()
BEGIN
    DECLARE made INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    START TRANSACTION;
    INSERT INTO Invoice (SalesOrderID, Amount, InvoicedOn, DueOn)
    SELECT ID, Amount, CURRENT_DATE, CURRENT_DATE + INTERVAL 30 DAY
    FROM SalesOrder WHERE enmOrderStatus = 'Shipped' FOR UPDATE;
    SET made = ROW_COUNT();
    UPDATE SalesOrder o JOIN Invoice i ON i.SalesOrderID = o.ID
    SET o.enmOrderStatus = 'Invoiced' WHERE o.enmOrderStatus = 'Shipped';
    COMMIT;

    SELECT CONCAT(made, ' invoices');
END//

-- Takes over the supplier's prices. Selects nothing: LastResult is NULL, and the run a success.
CREATE PROCEDURE SP_SyncProducts()
BEGIN
    INSERT INTO Product (Code, Name, Price, SyncedOn)
    SELECT s.Code, s.Name, s.Price, NOW() FROM SupplierPrice s
    ON DUPLICATE KEY UPDATE Name = s.Name, Price = s.Price, SyncedOn = NOW();
END//

-- Fails when somebody must look: its text becomes LastResult, and is mailed.
CREATE PROCEDURE SP_CheckCriticalConditions()
BEGIN
    DECLARE short INT DEFAULT 0;
    DECLARE message VARCHAR(128);

    SELECT COUNT(*) INTO short FROM Product WHERE Stock < MinStock;
    IF short > 0 THEN
        SET message = CONCAT('CRITICAL: stock is short of ', short, ' products');
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
    END IF;

    SELECT 'nothing critical';
END//

DELIMITER ;

-- ---------------------------------------------------------------------------------------------------------------
-- The jobs. The last one is broken on purpose: nobody has made its procedure.

INSERT INTO c_Job (JobName, CronExpression, StoredProcName, IsActive, EmailOnFailure) VALUES
    ('Daily Sales Report', '0 2 * * *', 'SP_GenerateSalesReport', 1, 0),
    ('Log Cleanup', '30 3 * * SUN', 'SP_CleanupLogs', 1, 0),
    ('Invoice Batch', '0 18 * * MON-FRI', 'SP_RunInvoiceBatch', 1, 1),
    ('Hourly Sync', '5 * * * *', 'SP_SyncProducts', 1, 0),
    ('Critical Conditions', '*/5 * * * *', 'SP_CheckCriticalConditions', 1, 0),
    ('Export To ERP', '15 4 * * *', 'SP_ExportToERP', 1, 1);

-- Who is mailed when a row with EmailOnFailure fails. Only type email is.
INSERT INTO c_JobAlertRecipient (c_JobID, enmJobAlertType, OverrideName, OverrideEmailOrPhone, AddedBy)
SELECT ID, 'email', 'Dana', 'dana@example.com', 'dba' FROM c_Job WHERE EmailOnFailure = 1
UNION ALL
SELECT ID, 'email', 'Oren', 'oren@example.com', 'dba' FROM c_Job WHERE JobName = 'Export To ERP'
UNION ALL
SELECT ID, 'Pager', 'Night watch', '555-0100', 'dba' FROM c_Job WHERE JobName = 'Export To ERP';

-- A rule by name: failures and recoveries, not more than 5 messages an hour.
INSERT INTO c_JobAlert (JobName, EmailRecipients, MaxAlertsPerHour)
VALUES ('Critical Conditions', 'watch@example.com', 5);
